import ArgumentParser
import Install
import Kube

struct AddNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add-node",
        abstract: "Makes machines nodes of the cluster, over SSH, many side by side.",
        discussion: """
            Each gets what the head has: its kernel's settings, MicroK8s from the bundle, the images; then it joins as a worker. \
            What is there already is not done again, so that running it once more finishes what was broken off, and changes \
            nothing where all stands. One machine that fails stops none of the others. Find out the host key first with \
            'jhub-install nodes scan', and compare it on the machine itself.

              sudo jhub-install add-node 10.0.0.11 --host-key SHA256:…

            Exit status 5 if some failed and the others are done; 4 if none is done and nothing was changed; 1 if none is done.
            """)

    @OptionGroup var options: HostOptions
    @OptionGroup var place: PlaceOptions
    @OptionGroup var trust: TrustOptions

    @Option(help: ArgumentHelp("How many machines are worked on at a time.", valueName: "number"))
    var parallel = 8

    @Option(
        name: .customLong("ignore"),
        help: ArgumentHelp("Go on although this check of preflight fails; may be repeated.", valueName: "id"))
    var ignored: [String] = []

    @Flag(name: .shortAndLong, help: "Every change with its reason.")
    var verbose = false

    func validate() throws {
        guard (1...64).contains(parallel) else { throw ValidationError("--parallel takes 1 to 64, not \(parallel)") }
    }

    func run() async throws {
        let site = try place.site()
        try requireRoot()
        let standing = try await NodeList.standing(on: site.head)
        let entries = try await options.entries(from: standing, on: site.head)
        guard !entries.isEmpty else {
            throw ValidationError("name a machine: the inventory \(NodeList.path) has none")
        }
        let strangers = Preflight.worker(for: site.settings, beside: []).strangers(among: Set(ignored))
        guard strangers.isEmpty else {
            throw ValidationError("no check of preflight is called \(strangers.joined(separator: ", "))")
        }
        let open = try options.login.opening()
        let asJSON = place.config.json
        let work = try Work(purpose: "jhub-install add-node", asJSON: asJSON, verbose: verbose)
        _ = try work.pass(site.bundle, trust)
        let display = nodesDisplay(asJSON: asJSON, verbose: verbose)
        var workers = Workers(site: site, installer: work.installer, parallel: parallel, open: open)
        workers.ignored = Set(ignored)
        workers.report = { [log = work.log] node, event in
            log.write(event, of: node)
            display.show(event, of: node)
        }
        workers.checked = { [log = work.log] node, reports in
            for report in reports where report.stops || report.warns || report.isIgnored {
                log.line("\(node): preflight: \(report.line)")
            }
        }
        let outcome: Workers.Outcome
        do {
            outcome = try await workers.add(entries)
        } catch {
            display.finish()
            work.log.line("ended: \(error)")
            throw error
        }
        display.finish()
        let table = NodesTable(outcome)
        for line in table.lines { work.log.line(line) }
        table.print(asJSON: asJSON)
        try table.throwIfFailed()
    }
}
