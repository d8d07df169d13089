import Kube

/// The node is Ready, runs with this cluster's settings, and has its role and labels.
package struct SettleNode: ClusterStage {
    package let name = "node"
    package let title = "Settle the node"
    /// Calico's pods start first, on slow disks within minutes.
    package let patience = Duration.seconds(600)
    package init() {}

    package var watched: String? { "/api/v1/nodes" }

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        guard let worker = site.worker else { return .settled }
        let arguments = try await MicroK8s().kubeletChanges(on: site, worker)
        guard arguments.isEmpty else { return .changes(arguments) }
        let name = worker.entry.name
        guard try await kube.get("/api/v1/nodes/\(name)") != nil else {
            return .waits(for: "node \(name) to be listed")
        }
        let fields = try await kube.wouldChange(worker.entry.labelled)
        guard fields.isEmpty else {
            return .changes([Change(.apply(worker.entry.labelled), because: fields.joined(separator: ", "))])
        }
        return try await Diagnosis.node(name, in: kube).map { .waits(for: $0) } ?? .settled
    }

    package func trouble(on site: Site) async -> String? { await site.provider.trouble(on: site) }
}

extension NodeEntry {
    /// The Node with its role, as kubectl shows it, and the labels of the inventory.
    var labelled: Manifest {
        let labels = labels.merging(["node-role.kubernetes.io/worker": ""]) { $1 }
        return Manifest([
            "apiVersion": "v1", "kind": "Node",
            "metadata": ["name": .string(name), "labels": .object(labels.mapValues { .string($0) })],
        ])
    }
}
