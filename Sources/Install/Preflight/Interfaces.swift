import Hosts

/// The IPv4 addresses that a DHCP server lends, and may give to another machine tomorrow.
struct LeasedAddresses: Fact {
    let command: Command = ["ip", "-4", "-oneline", "address", "show", "dynamic"]

    /// "2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global dynamic eth0\\       valid_lft 86312sec …"
    func value(of outcome: Outcome) throws(FactError) -> Set<String> {
        guard outcome.status == 0 else { throw FactError("ip address says '\(outcome.lastWords)'") }
        return Set(
            outcome.output.lines.compactMap { line in
                let words = line.words
                guard let index = words.firstIndex(of: "inet"), index + 1 < words.count else { return nil }
                return words[index + 1].split(separator: "/").first.map(String.init)
            })
    }
}

/// Interfaces that a cluster makes for itself.
enum ClusterInterface {
    static func isOne(_ name: String) -> Bool {
        let prefixes = [
            "cali", "vxlan.calico", "tunl", "wireguard.cali", "flannel", "cni", "kube-ipvs", "nodelocaldns", "lxc",
            "veth",
        ]
        return prefixes.contains { name.hasPrefix($0) }
    }

    /// Those that other programs make, and that carry no traffic between machines.
    static func isVirtual(_ name: String) -> Bool {
        let prefixes = ["lo", "docker", "br-", "virbr", "dummy", "podman", "lxdbr", "tap", "ovn"]
        return isOne(name) || prefixes.contains { name.hasPrefix($0) }
    }
}
