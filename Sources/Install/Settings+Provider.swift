import SystemPackage

extension Settings {
    /// Where Kubernetes comes from, as the config says.
    package var provider: any Provider {
        switch self.clusterProvider {
        case .microk8s: return MicroK8s()
        case .existing:
            return ExistingCluster(
                kubeconfig: self.kubeconfigFile ?? "/etc/kubernetes/admin.conf", socket: self.containerdSocket,
                helm: self.helmBinary?.string ?? "helm")
        }
    }
}
