import Hosts
import Kube

/// No pod of anybody's runs on the node, but for those that run on every node. Of the head's site.
struct EmptyNode: ClusterStage {
    let name = "drain"
    let title = "Empty the node"
    /// The hub's answer to a stop comes before the pod is gone.
    let patience = Duration.seconds(120)
    var node: String
    /// What the hub has to end first.
    var servers: [UserServer]

    init(node: String, servers: [UserServer]) { (self.node, self.servers) = (node, servers) }

    /// In seconds: what a pod gets to end itself, and what all of them get together.
    private static let (grace, limit) = (60, 600)

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        guard let object = try await kube.get("/api/v1/nodes/\(node)") else { return .settled }
        if object[["spec", "unschedulable"]]?.bool != true {
            let cordon = Manifest([
                "apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(node)],
                "spec": ["unschedulable": true],
            ])
            return .changes([Change(.apply(cordon), because: "nothing new may start there")])
        }
        let running = try await site.servers(on: node).filter { servers.contains($0) }
        guard running.isEmpty else {
            return .changes(running.map { Change(.stop($0), because: "its node is removed") })
        }
        let pods = try await kube.list("/api/v1/pods", fieldSelector: "spec.nodeName=\(node)").filter(\.isEvictable)
        guard let first = pods.first?[["metadata", "name"]]?.string else { return .settled }
        // Evictions, so that disruption budgets are heeded; --force for pods that nothing makes again, as servers are.
        var drain = Command(
            [
                MicroK8s.program, "kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force",
                "--grace-period=\(Self.grace)", "--timeout=\(Self.limit)s",
            ])
        drain.limit = .seconds(Self.limit + 60)
        return .changes([Change(.run(drain), because: "\(pods.count) pods run there, such as \(first)")])
    }
}

extension JSON {
    /// Neither one of every node's, nor one that its kubelet keeps by itself, nor one that is over.
    fileprivate var isEvictable: Bool {
        let owners = self[["metadata", "ownerReferences"]]?.array ?? []
        if owners.contains(where: { $0["kind"] == "DaemonSet" }) { return false }
        if self[["metadata", "annotations", "kubernetes.io/config.mirror"]] != nil { return false }
        return !["Succeeded", "Failed"].contains(self[["status", "phase"]]?.string)
    }
}
