import Images
import Kube

/// The node is Ready, which it is not before its pods can be connected.
package struct ConnectNetwork: ClusterStage {
    package let name = "network"
    package let title = "Connect the network"
    package let patience = Duration.seconds(600)
    package init() {}

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        let provided = try await site.provider.networkPlan(for: site)
        guard provided == .settled else { return provided }
        if site.settings.patchCalico {
            let changes = try await rewritten(kube)
            guard changes.isEmpty else { return .changes(changes) }
        }
        if let reason = try await Diagnosis.node(try await site.nodeName(), in: kube) { return .waits(for: reason) }
        for (kind, name) in [("DaemonSet", "calico-node"), ("Deployment", "calico-kube-controllers")] {
            if let reason = try await Diagnosis.ofOurs(kind, name, in: kube) { return .waits(for: reason) }
        }
        return .settled
    }

    /// Calico's workloads with their images named as quay.io's.
    private func rewritten(_ kube: KubeClient) async throws -> [Change] {
        var changes: [Change] = []
        for (kind, name) in [("DaemonSet", "calico-node"), ("Deployment", "calico-kube-controllers")] {
            let images = try await kube.images(of: kind, name).mapValues(\.calicoFromQuay)
            changes += try await kube.imageChanges(kind, name, images, because: "PATCH_CALICO asks for quay.io's name")
        }
        return changes
    }
}

extension Site {
    /// A node's name is its host name in lower case.
    func nodeName() async throws -> String { try await head.hostname().lowercased() }
}
