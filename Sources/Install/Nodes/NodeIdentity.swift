package import Hosts
package import Kube
import SystemPackage

/// What no two machines of a cluster may have alike.
package struct NodeIdentity: Hashable, Sendable {
    package var name: String
    package var address: String
    package var machineID: String
    /// MAC addresses of its cards; none where only the cluster tells of it.
    package var hardware: Set<String> = []

    package init(name: String, address: String, machineID: String, hardware: Set<String> = []) {
        (self.name, self.address, self.machineID, self.hardware) = (name, address, machineID, hardware)
    }

    package static func of(_ host: Host, at address: String) async throws -> NodeIdentity {
        let cards = try await host.learn(Interfaces()).filter { !ClusterInterface.isVirtual($0.name) }
        return NodeIdentity(
            name: try await host.hostname().lowercased(), address: address,
            machineID: try await host.text(of: "/etc/machine-id")?.trimmed ?? "",
            hardware: Set(cards.compactMap(\.hardware)))
    }

    /// Of a Node, as the cluster has it; nil where it says too little.
    package init?(_ node: JSON) {
        guard let name = node[["metadata", "name"]]?.string, let address = node.internalAddress,
            let machineID = node[["status", "nodeInfo", "machineID"]]?.string
        else { return nil }
        self.init(name: name, address: address, machineID: machineID)
    }

    /// The same machine, seen twice: a node that the cluster has already.
    func isSame(as other: NodeIdentity) -> Bool {
        (name, address, machineID) == (other.name, other.address, other.machineID)
    }
}
