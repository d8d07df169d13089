/// What listens on this machine's ports, TCP and UDP.
package struct Listeners: Fact {
    package init() {}
    package var command: Command { ["ss", "-Hltnup"] }

    package func value(of outcome: Outcome) throws(FactError) -> [Listener] {
        guard outcome.status == 0 else {
            throw FactError("ss ended with status \(outcome.status): \(outcome.errors.firstLine)")
        }
        var listeners: [Listener] = []
        for line in outcome.output.split(whereSeparator: \.isNewline) {
            // Protocol, state, two queues, local address, the other's, and for root the programs.
            let words = line.split(separator: " ", maxSplits: 6)
            guard words.count >= 6, let colon = words[4].lastIndex(of: ":"),
                let port = Int(words[4][words[4].index(after: colon)...])
            else { throw FactError("ss said what cannot be read: \(line)") }
            // Without the zone: 10.0.0.1%eth0.
            let address = words[4][..<colon].filter { $0 != "[" && $0 != "]" }.prefix { $0 != "%" }
            listeners.append(
                Listener(
                    isUDP: words[0] == "udp", address: String(address), port: port,
                    programs: programs(in: words.count > 6 ? words[6] : "")))
        }
        return listeners
    }

    /// `users:(("nginx",pid=12,fd=6),("nginx",pid=11,fd=6))`: a name stands before its first comma.
    private func programs(in users: Substring) -> [String] {
        var names: [String] = []
        for (index, part) in users.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
        where index % 2 == 1 && !names.contains(String(part)) {
            names.append(String(part))
        }
        return names
    }
}

package struct Listener: Hashable, Sendable {
    package var isUDP: Bool
    /// "0.0.0.0", "::", "*", or one address of the machine.
    package var address: String
    package var port: Int
    package var programs: [String]

    package init(isUDP: Bool = false, address: String, port: Int, programs: [String] = []) {
        (self.isUDP, self.address, self.port, self.programs) = (isUDP, address, port, programs)
    }

    package var isOnLoopback: Bool { address.hasPrefix("127.") || address == "::1" }
}
