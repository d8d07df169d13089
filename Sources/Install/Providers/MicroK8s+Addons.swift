import Hosts
import Images
import Kube
import SystemPackage

extension MicroK8s {
    package func networkPlan(for site: Site) async throws -> Plan {
        // The kicker applies this file once, after its first start; what was deleted later it does not bring back.
        guard try await site.head.transport.state(of: Self.data.pushing("var/lock/cni-loaded")) != nil else {
            return .waits(for: "MicroK8s to apply its network (\(Self.data.pushing("args/cni-network/cni.yaml")))")
        }
        let kube = try await site.kube()
        var changes: [Change] = []
        for manifest in try Manifest.all(inYAML: try await text(of: "args/cni-network/cni.yaml", on: site)) {
            if try await kube.get(manifest) == nil {
                changes.append(Change(.apply(manifest), because: "it was deleted"))
            }
        }
        return .of(changes)
    }

    package func namesPlan(for site: Site) async throws -> Plan {
        let kube = try await site.kube()
        guard try await kube.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns") != nil else {
            // Without an argument the addon falls back to public resolvers; the next look takes out what is not ours.
            let upstream = site.settings.dnsUpstream
            let servers = upstream.isEmpty ? [try await NodeAddress.of(site)] : upstream
            let enable = Command([Self.program, "enable", "dns:" + servers.joined(separator: ",")])
            return .changes([Change(.run(enable), because: "the cluster has no DNS")])
        }
        var changes = try await upstream(kube, on: site)
        if site.settings.source(of: "COREDNS_IMAGE") != .standard {
            let images = ["coredns": try ImageReference(parsing: site.settings.corednsImage)]
            changes += try await kube.imageChanges(
                "Deployment", "coredns", images, because: "COREDNS_IMAGE asks for it")
        }
        return .of(changes)
    }

    package func storagePlan(for site: Site) async throws -> Plan {
        let kube = try await site.kube()
        guard try await kube.get("/apis/apps/v1/namespaces/kube-system/deployments/hostpath-provisioner") != nil else {
            let enable: Command = [Self.program, "enable", "hostpath-storage"]
            return .changes([Change(.run(enable), because: "nothing makes volumes")])
        }
        var changes: [Change] = []
        if site.settings.source(of: "HOSTPATH_PROVISIONER_IMAGE") != .standard {
            let images = ["hostpath-provisioner": try ImageReference(parsing: site.settings.hostpathProvisionerImage)]
            changes += try await kube.imageChanges(
                "Deployment", "hostpath-provisioner", images, because: "HOSTPATH_PROVISIONER_IMAGE asks for it")
        }
        let standard = Manifest([
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": [
                "name": "microk8s-hostpath", "annotations": ["storageclass.kubernetes.io/is-default-class": "true"],
            ],
            "provisioner": "microk8s.io/hostpath",
        ])
        let fields = try await kube.wouldChange(standard)
        if !fields.isEmpty { changes.append(Change(.apply(standard), because: fields.joined(separator: ", "))) }
        return .of(changes)
    }

    /// CoreDNS' configuration without resolvers that nobody asked for.
    private func upstream(_ kube: KubeClient, on site: Site) async throws -> [Change] {
        guard let live = try await kube.get("/api/v1/namespaces/kube-system/configmaps/coredns"),
            let old = live[["data", "Corefile"]]?.string
        else { return [] }
        let placeholder = try await NodeAddress.of(site)
        let new = Corefile(text: old).forwarding(to: site.settings.dnsUpstream, placeholder: placeholder)
        guard old != new else { return [] }
        let manifest = Manifest([
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "coredns", "namespace": "kube-system"],
            "data": ["Corefile": .string(new)],
        ])
        return [Change(.apply(manifest), because: "it asks resolvers that the config does not name")]
    }
}
