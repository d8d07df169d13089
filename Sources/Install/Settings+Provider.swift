package import SystemPackage

extension Settings {
    /// Where Kubernetes comes from, as the config says.
    package var provider: any Provider {
        switch clusterProvider {
        case .microk8s: return MicroK8s()
        case .existing:
            return ExistingCluster(
                kubeconfig: kubeconfigFile ?? "/etc/kubernetes/admin.conf", socket: containerdSocket,
                helm: helmBinary?.string ?? "helm")
        }
    }
}
