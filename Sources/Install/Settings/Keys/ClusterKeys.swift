package import SystemPackage

extension Settings {
    /// Where Kubernetes and the images come from.
    package struct ClusterKeys: Sendable {
        package let clusterProvider = Key(
            "CLUSTER_PROVIDER", .word(ClusterProvider.microk8s), default: "microk8s", .cluster,
            "microk8s (from the bundle) or existing (somebody else runs it).")
        package let kubeconfigFile = Key(
            "KUBECONFIG_FILE", .optional(.path), .cluster, "The way into an existing cluster.")
        package let containerdSocket = Key(
            "CONTAINERD_SOCKET", .path, default: "/run/containerd/containerd.sock", .cluster,
            "An existing cluster's containerd.")

        package let offlineImageDir = Key(
            "OFFLINE_IMAGE_DIR", .path, default: "offline-images", .images, "The bundle; --bundle says the same.")
        let archives = [
            Key("NOTEBOOK_TAR", .optional(.path), .images, archive),
            Key("HUB_IMAGE_TAR", .optional(.path), .images, archive),
            Key("PROXY_IMAGE_TAR", .optional(.path), .images, archive),
            Key("CALICO_BUNDLE", .optional(.path), .images, archive),
            Key("COREDNS_TAR", .optional(.path), .images, archive),
            Key("HOSTPATH_PROVISIONER_TAR", .optional(.path), .images, archive),
            Key("KUBE_SCHEDULER_TAR", .optional(.path), .images, archive),
            Key("PAUSE_IMAGE_TAR", .optional(.path), .images, archive),
            Key("BUSYBOX_IMAGE_TAR", .optional(.path), .images, archive),
        ]
        private static let archive = "An archive outside the bundle; those in it are found by what they hold."

        package let patchCalico = Key(
            "PATCH_CALICO", .flag, default: "false", .network, "Take Calico's images from quay.io instead of docker.io."
        )
        package let corednsImage = Key(
            "COREDNS_IMAGE", .image, default: "registry.k8s.io/coredns/coredns:v1.10.1", .dns,
            "The cluster's name server.")
        package let dnsUpstream = Key(
            "DNS_UPSTREAM", .list(of: .address, [",", " "]), .dns,
            "Resolvers for names outside the cluster; without any such names have no answer. Never a public one unasked."
        )
    }
}

extension Settings {
    /// The archives that the file names one by one, in addition to the bundle directory.
    package var extraArchives: [FilePath] {
        Self.cluster.archives.compactMap { value(of: $0) }.filter { !$0.starts(with: self.offlineImageDir) }
    }
}
