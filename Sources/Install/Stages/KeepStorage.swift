import Hosts
import Kube
import SystemPackage

/// Where users' files lie: a storage class for homes, the shared folder, the namespace with its limits.
package struct KeepStorage: ClusterStage {
    package let name = "storage"
    package let title = "Keep the storage"
    package let patience = Duration.seconds(300)
    package init() {}

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        let provided = try await site.provider.storagePlan(for: site)
        guard provided == .settled else { return provided }
        var changes = try await KeepFolders.changes(on: site)
        let manifests = try manifests(for: site)
        try await refuseMoves(of: manifests, in: kube)
        for manifest in manifests {
            let fields = try await kube.wouldChange(manifest)
            if !fields.isEmpty { changes.append(Change(.apply(manifest), because: fields.joined(separator: ", "))) }
        }
        changes += try await withdrawals(on: site, in: kube)
        guard changes.isEmpty else { return .changes(changes) }
        if let reason = try await Diagnosis.ofOurs("Deployment", "hostpath-provisioner", in: kube) {
            return .waits(for: reason)
        }
        return .settled
    }

    private func manifests(for site: Site) throws -> [Manifest] {
        var names = ["namespace"]
        if site.settings.sharedStorageEnabled { names.append("shared-storage") }
        if site.settings.singleuserMountJhubLogs { names.append("logs") }
        names += Self.bounds(by: site.settings).filter(\.isOn).map(\.template)
        return try names.flatMap { try manifests(of: $0, for: site) }
    }

    /// What bounds the users and holds nothing of theirs, and the key that turns it on.
    private static func bounds(by settings: Settings) -> [(template: String, key: String, isOn: Bool)] {
        [
            ("resource-quota", "ENABLE_RESOURCE_QUOTA", settings.enableResourceQuota),
            ("limit-range", "ENABLE_RESOURCE_QUOTA", settings.enableResourceQuota),
            ("network-policies", "ENABLE_NETWORK_POLICY", settings.enableNetworkPolicy),
        ]
    }

    /// The bounds of ours that the config turned off. Volumes stay, whatever it says: there is data in them.
    private func withdrawals(on site: Site, in kube: KubeClient) async throws -> [Change] {
        var changes: [Change] = []
        for (template, key, isOn) in Self.bounds(by: site.settings) where !isOn {
            for manifest in try manifests(of: template, for: site) {
                let label = ["metadata", "labels", "app.kubernetes.io/managed-by"]
                guard try await kube.get(manifest)?[label] == manifest.object[label] else { continue }
                changes.append(Change(.delete(manifest), because: "\(key) is off"))
            }
        }
        return changes
    }

    private func manifests(of template: String, for site: Site) throws -> [Manifest] {
        let settings = site.settings
        let values: [String: JSON] = [
            "NAMESPACE": .string(settings.jhubNs),
            "SHARED_PATH": .string(settings.sharedStoragePath.string),
            "SHARED_SIZE": .string(settings.sharedStorageSize.text),
            "RQ_REQUESTS_CPU": .string(settings.rqRequestsCpu.text),
            "RQ_REQUESTS_MEMORY": .string(settings.rqRequestsMemory.text),
            "RQ_LIMITS_CPU": .string(settings.rqLimitsCpu.text),
            "RQ_LIMITS_MEMORY": .string(settings.rqLimitsMemory.text),
            "RQ_PODS": .string(String(settings.rqPods)),
            "RQ_GPUS": .string(String(settings.rqGpus)),
            "LIMITRANGE_DEFAULT_CPU": .string(settings.limitrangeDefaultCpu.text),
            "LIMITRANGE_DEFAULT_MEMORY": .string(settings.limitrangeDefaultMemory.text),
            "LIMITRANGE_MAX_CPU": .string(settings.limitrangeMaxCpu.text),
            "LIMITRANGE_MAX_MEMORY": .string(settings.limitrangeMaxMemory.text),
        ]
        return try site.template(template, values)
    }

    /// A volume's folder cannot be changed in place. That is said, with both folders, and nothing is deleted.
    private func refuseMoves(of manifests: [Manifest], in kube: KubeClient) async throws {
        for manifest in manifests where manifest.kind == "PersistentVolume" {
            guard let live = try await kube.get(manifest) else { continue }
            let path = ["spec", "hostPath", "path"]
            guard let old = live[path]?.string, let new = manifest.object[path]?.string, old != new else { continue }
            throw InstallError.refused(
                "the volume \(manifest.name) lies in \(old), and the config wants \(new): "
                    + "a volume cannot move by itself. Copy the data, delete the volume and its claim, and run again; "
                    + "or set SHARED_STORAGE_PATH=\(old)")
        }
    }
}

extension Site {
    /// The manifests of `templates/kubernetes/NAME.yaml` with these values in.
    func template(_ name: String, _ values: [String: JSON]) throws -> [Manifest] {
        let path = root.appending("templates").appending("kubernetes").appending(name + ".yaml")
        return try Template(at: path.string).manifests(values)
    }
}
