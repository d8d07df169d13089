import ArgumentParser
import Install
import Kube

struct RemoveNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove-node",
        abstract: "Takes a node out of the cluster, and from its machine what we put there.",
        discussion: """
            First it says which users' servers run there and whose files lie there; with --yes the hub ends the servers. Then the \
            node takes nothing new, its pods move with time to end, it leaves the cluster, and its machine is cleaned up by what \
            the record says that we put on it. Run it again to go on where it was broken off.
            """)

    @Argument(help: "The node's name, or its address.")
    var node: String

    @OptionGroup var config: ConfigOptions
    @OptionGroup var login: LoginOptions

    @Flag(
        help: """
            Keep the users' volumes on the machine, in \(Workers.keptVolumes), and the agent's samples; this is the default.
            """)
    var keepData = false

    @Flag(help: "Remove the users' volumes and the agent's samples, too. Nobody can bring them back.")
    var wipe = false

    @Flag(help: "Remove it although its machine cannot be reached; it is cleaned up by running this again once it can.")
    var force = false

    @Flag(name: .shortAndLong, help: "Go on although servers run there or users' files lie there.")
    var yes = false

    @Flag(name: .shortAndLong, help: "Every change with its reason.")
    var verbose = false

    func validate() throws {
        if keepData, wipe { throw ValidationError("--keep-data and --wipe exclude each other") }
    }

    func run() async throws {
        var site = try config.siteWithoutBundle()
        // By its template the agent's objects in the cluster are known.
        site.root = try installRoot(nil)
        try requireRoot()
        let open = try login.opening()
        let work = try Work(purpose: "jhub-install remove-node", asJSON: config.json, verbose: verbose)
        let display = nodesDisplay(asJSON: config.json, verbose: verbose)
        var workers = Workers(site: site, installer: work.installer, parallel: 8, open: open)
        workers.report = { [log = work.log] node, event in
            log.write(event, of: node)
            display.show(event, of: node)
        }
        let departure = try await workers.departure(of: node)
        try confirm(departure)
        let (changes, notes): (Int, [String])
        do {
            (changes, notes) = try await workers.remove(departure, keepingData: !wipe, forced: force)
        } catch {
            display.finish()
            work.log.line("ended: \(error)")
            throw error
        }
        display.finish()
        work.log.line("done: \(changes) changes")
        for note in notes { work.log.line("note: \(note)") }
        say(departure.name, changes, notes)
        if !notes.isEmpty { throw ExitStatus.someNodes }
    }

    /// What hangs on the node is said before anything is done.
    private func confirm(_ departure: Departure) throws {
        let out = config.json ? Console.standardError : Console.standardOutput
        for server in departure.servers { out.line("\(departure.name) runs \(server)") }
        for volume in departure.volumes { out.line("\(departure.name) has the files of \(volume) on its own disk") }
        guard !departure.servers.isEmpty || !departure.volumes.isEmpty, !yes else { return }
        if Console.isInteractive, Console.asksToGoOn("Remove \(departure.name) all the same?") { return }
        throw InstallError.refused(
            "\(departure.name) is in use, and nothing was changed: say --yes to go on; the servers are ended then, "
                + "and whoever has files there cannot start a server until they are moved")
    }

    private func say(_ name: String, _ changes: Int, _ notes: [String]) {
        guard config.json else {
            Console.standardOutput.line("\(name) is no node any more; \(changes.of("change")) made.")
            for note in notes { Console.standardOutput.line("note: \(note)") }
            return
        }
        let object: JSON = [
            "event": "done", "node": .string(name), "changes": .int(changes),
            "notes": .array(notes.map { .string($0) }),
        ]
        Console.standardOutput.line(object.text())
    }
}
