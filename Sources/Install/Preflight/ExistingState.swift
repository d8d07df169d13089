import Hosts
import Images
import SystemPackage

struct KubeconfigThere: Check {
    let id = "kube.config"
    let title = "The existing cluster's kubeconfig is there, and its API answers"

    func finding(on site: Site) async throws -> Finding {
        let needs = "KUBECONFIG_FILE of an admin"
        guard try await site.head.has(site.provider.kubeconfig) else {
            return .failed(
                "there is no \(site.provider.kubeconfig)", needs: needs,
                fix: "set KUBECONFIG_FILE (k3s: /etc/rancher/k3s/k3s.yaml, kubeadm: /etc/kubernetes/admin.conf)")
        }
        switch try await site.liveKube() {
        case .success: return .passed("it answers", needs: needs)
        case .failure(let reason):
            return .failed(
                reason.reason, needs: needs,
                fix: "start that cluster, and look with kubectl get nodes whether it is well")
        }
    }
}

struct ContainerdAnswers: Check {
    let id = "kube.containerd"
    let title = "The existing cluster's containerd answers"

    func finding(on site: Site) async throws -> Finding {
        let needs = "CONTAINERD_SOCKET"
        do {
            let holdings = try await site.images.holdings()
            return .passed("it answers and has \(holdings.records.count) images", needs: needs)
        } catch let error as ImageError {
            let fix = "set CONTAINERD_SOCKET to the cluster's (k3s: /run/k3s/containerd/containerd.sock)"
            return .failed("\(error)", needs: needs, fix: fix)
        }
    }
}

struct HelmThere: Check {
    let id = "kube.helm"
    let title = "There is a helm"

    func finding(on site: Site) async throws -> Finding {
        let needs = "helm 3"
        guard let program = site.provider.helm.first else { throw FactError("the provider names no helm") }
        let path = FilePath(program)
        let there = path.isAbsolute ? try await site.head.has(path) : try await site.head.program(program) != nil
        return there
            ? .passed(program, needs: needs)
            : .failed(
                "there is no \(program)", needs: needs, fix: "put helm into the bundle's bin/, or set HELM_BINARY")
    }
}
