import ArgumentParser
import Hosts
import Install
import Kube

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "What the cluster, the inventory and the machines say of the nodes.",
        subcommands: [List.self, Scan.self, Check.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists every node, and where cluster, inventory and machine disagree.",
            discussion: "It only looks. Exit status 1 if they disagree, or a node is not ready.")

        @OptionGroup var config: ConfigOptions
        @OptionGroup var login: LoginOptions

        func run() async throws {
            let site = try config.siteWithoutBundle()
            try requireRoot()
            let record = Record(run: "")
            let workers = Workers(
                site: site, installer: Installer(stages: [], record: record), parallel: 16, open: try login.opening())
            let views = try await workers.survey()
            let out = Console.standardOutput
            if config.json {
                for view in views { out.line(view.json.text()) }
            } else {
                view(views).forEach(out.line)
            }
            guard views.allSatisfy(\.disagreements.isEmpty) else { throw ExitStatus.failed }
        }

        private func view(_ views: [NodeView]) -> [String] {
            let width = max(4, views.map(\.name.count).max() ?? 0)
            var lines = ["\("NODE".padded(to: width))  ADDRESS          CLUSTER    INVENTORY  MACHINE"]
            for view in views {
                lines.append(
                    [
                        view.name.padded(to: width), view.address.padded(to: 15), view.cluster.word.padded(to: 9),
                        view.inventory.padded(to: 9), view.machine.word,
                    ].joined(separator: "  "))
            }
            return lines + views.flatMap { view in view.disagreements.map { "\(view.name): \($0)" } }
        }
    }

    struct Scan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the host keys that machines show, to be compared on them and then pinned.",
            discussion: """
                Anybody on the way may answer in a machine's place: compare what is printed with what the machine itself says, on \
                its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
                """)

        @Argument(help: ArgumentHelp("Machines: ADDRESS[:PORT].", valueName: "host"))
        var hosts: [String]

        @Flag(help: "One JSON object a line, for programs.")
        var json = false

        func run() async throws {
            var failed = false
            for host in hosts {
                let name = try HostName(host)
                do {
                    for key in try await HostKeys.scan(name.host, port: name.port ?? 22) {
                        let object: JSON = [
                            "host": .string(host), "type": .string(key.type),
                            "hostKey": .string(key.fingerprint.description),
                        ]
                        Console.standardOutput.line(json ? object.text() : "\(host)  \(key.fingerprint)  \(key.type)")
                    }
                } catch {
                    failed = true
                    Console.standardError.line("jhub-install: \(error)")
                }
            }
            if failed { throw ExitStatus.failed }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preflight", abstract: "Checks whether machines can become nodes; changes nothing.",
            discussion: "Exit status 4 if a check fails. docs/preflight.md explains every check.")

        @OptionGroup var options: HostOptions
        @OptionGroup var place: PlaceOptions

        func run() async throws {
            let site = try place.site()
            try requireRoot()
            let entries = try await options.entries(from: try await NodeList.standing(on: site.head), on: site.head)
            let workers = Workers(
                site: site, installer: Installer(stages: [], record: Record(run: "")), parallel: 8,
                open: try options.login.opening())
            var stopped = false
            for (entry, result) in try await workers.check(entries) {
                if !place.config.json { Console.standardOutput.line("\(entry.name) (\(entry.address))") }
                switch result {
                case .success(let reports):
                    PreflightTable(reports, everything: true).print(asJSON: place.config.json, of: entry.name)
                    if reports.contains(where: \.stops) { stopped = true }
                case .failure(let failure):
                    stopped = true
                    Console.standardError.line("jhub-install: \(failure)")
                }
            }
            if stopped { throw ExitStatus.preflight }
        }
    }
}

extension NodeView {
    fileprivate var inventory: String { isHead ? "head" : isListed ? "listed" : isDeparted ? "departed" : "-" }

    fileprivate var json: JSON {
        [
            "node": .string(name), "address": .string(address), "cluster": .string(cluster.word),
            "inventory": .string(inventory), "machine": .string(machine.word),
            "disagreements": .array(disagreements.map { .string($0) }),
        ]
    }
}

extension NodeView.InCluster {
    fileprivate var word: String {
        switch self {
        case .absent: "-"
        case .ready: "ready"
        case .cordoned: "cordoned"
        case .notReady: "not ready"
        }
    }
}

extension NodeView.OnMachine {
    fileprivate var word: String {
        switch self {
        case .notAsked: "-"
        case .joined: "joined"
        case .notJoined: "not joined"
        case .elsewhere: "in another cluster"
        case .unreachable: "out of reach"
        }
    }
}
