package import Hosts
import Kube
package import SystemPackage

/// A cluster that somebody else runs (k3s, RKE2, kubeadm). Nothing of it is touched.
package struct ExistingCluster: Provider {
    package var kubeconfig: FilePath
    package var helm: [String]
    package var socket: FilePath
    package let imageRoot: FilePath = "/var/lib"

    package init(kubeconfig: FilePath, socket: FilePath, helm: String) {
        (self.kubeconfig, self.socket) = (kubeconfig, socket)
        self.helm = [helm, "--kubeconfig", kubeconfig.string]
    }

    package func plan(for site: Site) async throws -> Plan {
        if case .failure(let error) = try await site.liveKube() { return .waits(for: error.description) }
        return .settled
    }

    package func images(on site: Site) async throws -> Wanted { Wanted() }
    package func carriedImages(in bundle: Bundle, _ host: Host) async throws -> Wanted { Wanted() }
    package func networkPlan(for site: Site) async throws -> Plan { .settled }

    package func namesPlan(for site: Site) async throws -> Plan {
        let service = "/api/v1/namespaces/kube-system/services/kube-dns"
        guard try await site.kube().get(service) != nil else {
            throw InstallError.refused(
                "the cluster has no DNS (no Service kube-system/kube-dns): the hub is found by name")
        }
        return .settled
    }

    package func storagePlan(for site: Site) async throws -> Plan {
        let name = site.settings.singleuserStorageClass
        guard try await site.kube().get("/apis/storage.k8s.io/v1/storageclasses/\(name)") != nil else {
            throw InstallError.refused(
                "the cluster has no StorageClass \(name): set SINGLEUSER_STORAGE_CLASS to one that it has")
        }
        return .settled
    }
}
