import Hosts

/// The IPv4 routes of the main table.
struct RouteTable: Fact {
    struct Route: Hashable, Sendable {
        /// Nil for the default route.
        var destination: AddressRange?
        var device: String
        var gateway: String?
        var line: String
    }

    let command: Command = ["ip", "-4", "route", "show"]

    func value(of outcome: Outcome) throws(FactError) -> [Route] {
        guard outcome.status == 0 else { throw FactError("ip route says '\(outcome.lastWords)'") }
        var routes: [Route] = []
        for line in outcome.output.lines {
            var words = line.words
            // Calico's own: packets for a pod that is gone must not leave.
            if ["blackhole", "unreachable", "prohibit"].contains(words.first ?? "") { continue }
            if ["unicast", "local", "broadcast"].contains(words.first ?? "") { words.removeFirst() }
            guard let first = words.first else { continue }
            let destination = first == "default" ? nil : AddressRange(first)
            if destination == nil && first != "default" { throw FactError("ip route says '\(line)'") }
            routes.append(
                Route(
                    destination: destination, device: words.following("dev") ?? "", gateway: words.following("via"),
                    line: line.trimmed))
        }
        return routes
    }
}

/// The IPv4 addresses of the interfaces.
struct AddressTable: Fact {
    struct Address: Hashable, Sendable {
        var device: String
        var range: AddressRange
        var isGlobal: Bool
        /// Leased from a DHCP server.
        var isDynamic: Bool
    }

    let command: Command = ["ip", "-4", "-oneline", "address", "show"]

    func value(of outcome: Outcome) throws(FactError) -> [Address] {
        guard outcome.status == 0 else { throw FactError("ip address says '\(outcome.lastWords)'") }
        return try outcome.output.lines.map { (line) throws(FactError) in
            let words = line.words
            guard words.count > 3, let range = words.following("inet").flatMap({ AddressRange($0) }) else {
                throw FactError("ip address says '\(line)'")
            }
            return Address(
                device: words[1], range: range, isGlobal: words.following("scope") == "global",
                isDynamic: words.contains("dynamic"))
        }
    }
}

extension [String] {
    func following(_ word: String) -> String? {
        guard let index = firstIndex(of: word), index + 1 < count else { return nil }
        return self[index + 1]
    }
}

/// Interfaces that a cluster makes for itself.
enum ClusterInterface {
    static func isOne(_ name: String) -> Bool {
        let prefixes = ["cali", "vxlan.calico", "tunl", "wireguard.cali", "flannel", "cni", "kube-ipvs", "nodelocaldns", "lxc", "veth"]
        return prefixes.contains { name.hasPrefix($0) }
    }

    /// Those that other programs make, and that carry no traffic between machines.
    static func isVirtual(_ name: String) -> Bool {
        let prefixes = ["lo", "docker", "br-", "virbr", "dummy", "podman", "lxdbr", "tap", "ovn"]
        return isOne(name) || prefixes.contains { name.hasPrefix($0) }
    }
}
