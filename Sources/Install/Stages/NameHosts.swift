import Hosts
import SystemPackage

/// The machines of the cluster find themselves and each other by name, without anybody's DNS.
struct NameHosts: Stage {
    let name = "names"
    let title = "Name the machines"
    /// A machine that is about to join, and does not stand in the inventory yet.
    var newcomer: NodeEntry?

    func plan(for site: Site) async throws -> Plan { .of(try await changes(on: site)) }

    /// Debian's own line for a machine says 127.0.1.1, which no other can use; and a join fails where the head cannot
    /// resolve the newcomer (canonical/microk8s#3152).
    func changes(on site: Site) async throws -> [Change] {
        var list = try await NodeList.standing(on: site.head)
        if let newcomer { list.put(newcomer) }
        var addresses = [try await site.head.hostname(): try await NodeAddress.of(site.ofHead)]
        for node in list.nodes { addresses[node.name] = node.address }
        let own = try await site.node.hostname()
        addresses[own] = nil
        let others = addresses.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let path: FilePath = "/etc/hosts"
        let old = try await site.node.text(of: path) ?? ""
        let new = Block(["\(try await NodeAddress.of(site)) \(own)"] + others).put(into: old)
        guard old != new else { return [] }
        return [Change(.write(File(path, new)), because: "the nodes must find themselves and each other by name")]
    }
}
