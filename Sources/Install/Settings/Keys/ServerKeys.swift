package import Kube

extension Settings {
    /// The users' servers.
    package struct ServerKeys: Sendable {
        package let singleuserImage = Key(
            "SINGLEUSER_IMAGE", .image, default: "quay.io/jupyterhub/k8s-singleuser-sample:${JHUB_CHART_VERSION}",
            .images,
            "The image that a server runs.")
        package let singleuserImagePullPolicy = Key(
            "SINGLEUSER_IMAGE_PULL_POLICY", .word(PullPolicy.never), default: "Never", .hub,
            "IfNotPresent, Never or Always.")
        package let allowedCustomImages = Key(
            "ALLOWED_CUSTOM_IMAGES", .list(of: .image), .images, "Further images that a user may choose.")
        package let singleuserReadonlyRootfs = Key(
            "SINGLEUSER_READONLY_ROOTFS", .flag, default: "false", .hub,
            "May a server write only to its volumes and /tmp?")
        package let singleuserMountJhubLogs = Key(
            "SINGLEUSER_MOUNT_JHUB_LOGS", .flag, default: "false", .hub,
            "Mount the log volume in every server. It is one folder that all users can write, hence not by default.")
        package let singleuserEphemeralStorageRequest = Key(
            "SINGLEUSER_EPHEMERAL_STORAGE_REQUEST", .optional(.bytes), .hub, "Scratch disk that a server is sure of."
        )
        package let singleuserEphemeralStorageLimit = Key(
            "SINGLEUSER_EPHEMERAL_STORAGE_LIMIT", .optional(.bytes), .hub,
            "Scratch disk above which a server is ended.")
        package let singleuserNodeSelectorJson = Key(
            "SINGLEUSER_NODE_SELECTOR_JSON", .nodeSelector, default: "{}", .hub,
            "The labels that a server's node must have.")
        package let singleuserTolerationsJson = Key(
            "SINGLEUSER_TOLERATIONS_JSON", .tolerations, default: "[]", .hub, "The taints that servers put up with.")

        package let spawnerHttpTimeout = Key(
            "SPAWNER_HTTP_TIMEOUT", .seconds, default: "180", .hub, "Seconds until a started server must answer.")
        package let kubespawnerStartTimeout = Key(
            "KUBESPAWNER_START_TIMEOUT", .seconds, default: "900", .hub, "Seconds until a server must have started.")

        package let enableIdleCuller = Key(
            "ENABLE_IDLE_CULLER", .flag, default: "false", .hub, "End servers that nobody uses.")
        package let cullTimeoutSeconds = Key(
            "CULL_TIMEOUT_SECONDS", .seconds, default: "3600", .hub, "After so many seconds without use.")
        package let cullEverySeconds = Key(
            "CULL_EVERY_SECONDS", .seconds, default: "300", .hub, "Look every so many seconds.")
        package let cullConcurrency = Key("CULL_CONCURRENCY", .count(1...1000), default: "10", .hub, "So many at once.")
        package let cullUsers = Key("CULL_USERS", .flag, default: "false", .hub, "Remove the users' records too.")
    }
}
