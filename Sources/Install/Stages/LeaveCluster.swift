import Hosts
import Kube

/// The machine is nobody's worker. Of the worker's site.
struct LeaveCluster: Stage {
    let name = "leave"
    let title = "Leave the cluster"

    func plan(for site: Site) async throws -> Plan {
        guard try await site.snaps().contains(where: { $0.name == "microk8s" }),
            try await MicroK8s().membership(of: site) == .ours
        else { return .settled }
        var leave: Command = [MicroK8s.program, "leave"]
        leave.limit = .seconds(300)
        return .changes([Change(.run(leave), because: "it is to be no node any more")])
    }
}

/// The cluster does not list the node. Of the head's site.
struct ForgetNode: ClusterStage {
    let name = "forget"
    let title = "Forget the node"
    var node: String

    init(_ node: String) { self.node = node }

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        guard try await kube.get("/api/v1/nodes/\(node)") != nil else { return .settled }
        // Without --force it refuses a node that the datastore knows; a worker is none, a node of another hand may be.
        let remove: Command = [MicroK8s.program, "remove-node", node, "--force"]
        return .changes([Change(.run(remove), because: "the machine has left")])
    }
}
