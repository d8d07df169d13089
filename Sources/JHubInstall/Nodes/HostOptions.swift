import ArgumentParser
import Hosts
import Install
import SystemPackage

/// Which machines are meant, and what the inventory is to say of them.
struct HostOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Machines: [USER@]ADDRESS[:PORT], or names of the inventory; none: all of the inventory.", valueName: "host"
        ))
    var hosts: [String] = []

    @Option(
        help: ArgumentHelp(
            "A list of nodes to take them from.", discussion: "Default: \(NodeList.path).", valueName: "file"))
    var inventory: String?

    @Option(
        name: .customLong("host-key"),
        help: ArgumentHelp(
            "The host key that the machine has to show, as 'nodes scan' prints it; for several machines as often, in their order.",
            valueName: "SHA256:…"))
    var hostKeys: [String] = []

    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("A label for each of these nodes; may be repeated.", valueName: "key=value"))
    var labels: [String] = []

    @OptionGroup var login: LoginOptions

    func validate() throws {
        if !hostKeys.isEmpty, hostKeys.count != hosts.count {
            throw ValidationError(
                "--host-key is given \(hostKeys.count) times for \(hosts.count) machines: one each, in their order")
        }
        for key in hostKeys where Fingerprint(key) == nil {
            throw ValidationError(
                "--host-key takes SHA256:… with 43 letters, as 'jhub-install nodes scan' prints it, not '\(key)'")
        }
        for pair in labels {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw ValidationError("--label takes KEY=VALUE, not '\(pair)'") }
            if let fault = NodeLabel.fault(of: parts[0], parts[1]) { throw ValidationError(fault) }
        }
        for host in hosts { _ = try HostName(host) }
    }

    /// The machines, with what the options say in the place of what the inventory says.
    func entries(from standing: NodeList, on head: Host) async throws -> [NodeEntry] {
        var list = standing
        if let inventory {
            guard let text = try await head.transport.read(FilePath(inventory)) else {
                throw SettingsError([Fault(file: inventory, "there is no such file")])
            }
            list = try NodeList(yaml: String(decoding: text, as: UTF8.self), file: inventory)
        }
        guard !hosts.isEmpty else { return list.nodes.map { amended($0, HostName()) } }
        var entries: [NodeEntry] = []
        for (index, host) in hosts.enumerated() {
            let name = try HostName(host)
            var entry: NodeEntry
            if let known = list[name.host] ?? standing[name.host] ?? standing.departed(name.host) {
                entry = known
            } else {
                let address = try await Self.address(of: name.host, on: head)
                entry = list[address] ?? NodeEntry(name: address, address: address, hostKey: nil)
            }
            entry = amended(entry, name)
            if !hostKeys.isEmpty { entry.hostKey = Fingerprint(hostKeys[index]) }
            if entries.contains(where: { $0.address == entry.address }) {
                throw ValidationError("\(host) is named twice")
            }
            entries.append(entry)
        }
        return entries
    }

    private func amended(_ entry: NodeEntry, _ name: HostName) -> NodeEntry {
        var entry = entry
        if let user = name.user ?? login.user { entry.user = user }
        if let port = name.port ?? login.port { entry.port = Int(port) }
        if let key = login.key { entry.keyFile = FilePath(key) }
        if login.sudo { entry.usesSudo = true }
        for pair in labels {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            entry.labels[parts[0]] = parts[1]
        }
        return entry
    }

    /// Nodes reach each other by address: a name is looked up once, here.
    private static func address(of name: String, on head: Host) async throws -> String {
        let outcome = try await head.transport.run(["getent", "ahostsv4", name])
        guard let address = outcome.output.split(whereSeparator: \.isWhitespace).first else {
            throw InstallError.refused("\(name) is neither in the inventory nor known by name here: give its address")
        }
        return String(address)
    }
}

/// "[USER@]HOST[:PORT]"
struct HostName {
    var user: String?
    var host = ""
    var port: UInt16?

    init() {}

    init(_ text: String) throws {
        var rest = text[...]
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        if let colon = rest.firstIndex(of: ":") {
            guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else {
                throw ValidationError("'\(text)' is not [USER@]HOST[:PORT]; nodes have IPv4 addresses")
            }
            port = number
            rest = rest[..<colon]
        }
        guard !rest.isEmpty, user?.isEmpty != true, !rest.hasPrefix("-") else {
            throw ValidationError("'\(text)' is not [USER@]HOST[:PORT]")
        }
        host = String(rest)
    }
}
