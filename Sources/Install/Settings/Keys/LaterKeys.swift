extension Settings {
    /// What this release has not. The switches are typed, so that preflight
    /// can say by name what was asked for; the rest is known and waits.
    package struct LaterKeys: Sendable {
        package let useGpuOperator = ask("USE_GPU_OPERATOR", .gpu, "Install the GPU Operator.")
        let gpu = rest(
            .gpu,
            "GPU_OPERATOR_VERSION", "GPU_OPERATOR_DRIVER_VERSION", "GPU_OPERATOR_DISABLE_TOOLKIT", "GPU_DRIVER_MODE",
            "GPU_DKMS_INSTALL_HEADERS", "GPU_OPERATOR_BUNDLE_TAR", "GPU_OPERATOR_CORE_TAR", "NFD_TAR",
            "NVIDIA_K8S_DEVICE_PLUGIN_TAR", "NVIDIA_CONTAINER_TOOLKIT_TAR", "NVIDIA_DCGM_EXPORTER_TAR")

        package let enableIb = ask("ENABLE_IB", .infiniBand, "InfiniBand and RDMA.")
        let infiniBand = rest(
            .infiniBand,
            "NETWORK_OPERATOR_VERSION", "IB_NIC_POLICY_NAME", "IB_NIC_POLICY_TEMPLATE_FILE",
            "IB_NIC_POLICY_CRD_WAIT_SECONDS", "IB_RSDP_REPOSITORY", "IB_RSDP_IMAGE", "IB_RSDP_VERSION",
            "IB_RSDP_IMAGE_TAR", "IB_RSDP_CONFIG", "IB_RESOURCE_NAME", "IB_RESOURCE_COUNT")

        package let enableMig = ask("ENABLE_MIG", .mig, "Divide GPUs.")
        let mig = rest(
            .mig,
            "MIG_STRATEGY", "MIG_RESOURCE_NAME", "MIG_PROFILE_NAME", "MIG_CPU_CORES", "MIG_MEM_GIB",
            "MIG_TARGET_GPU_IDS", "MIG_TARGET_PROFILE", "MIG_TARGET_PROFILE_COUNT", "MIG_CONFIGMAP_NAME",
            "MIG_CONFIG_DEFAULT", "MIG_CONFIG_PROFILE", "MIG_TARGET_NODES")

        package let enableMpiOperator = ask("ENABLE_MPI_OPERATOR", .mpi, "Install the MPI Operator.")
        let mpi = rest(
            .mpi,
            "MPI_OPERATOR_NAMESPACE", "ENABLE_MPI_USER_NS", "MPI_USERS_CSV", "MPI_USER_NAMESPACE_PREFIX",
            "MPI_USER_SERVICE_ACCOUNT_PREFIX", "MPI_NS_REQUESTS_CPU", "MPI_NS_REQUESTS_MEMORY", "MPI_NS_LIMITS_CPU",
            "MPI_NS_LIMITS_MEMORY", "MPI_NS_GPUS", "MPI_NS_PODS", "MPI_OPERATOR_MANIFEST_URL")

        package let enableUsageLimitEnforcer = ask(
            "ENABLE_USAGE_LIMIT_ENFORCER", .portal, "Hold users to their quotas.")
        let portal = rest(.portal, "USAGE_PORTAL_URL", "USAGE_PORTAL_TIMEOUT_SECONDS")
        let usagePortalToken = Key(
            "USAGE_PORTAL_TOKEN", .optional(.secret), .later(.portal), secret: true, "The hub's token at the portal.")

        package let enableIngress = ask("ENABLE_INGRESS", .ingress, "An Ingress in the cluster.")
        let ingress = rest(.ingress, "INGRESS_TLS_SECRET", "INGRESS_ANNOTATIONS_JSON")

        package let clusterNodeIps = Key(
            "CLUSTER_NODE_IPS", .list(of: .host, [",", " "]), .later(.workers, isSwitch: true), "Machines that join.")
        let workers = rest(.workers, "CLUSTER_SSH_USER", "CLUSTER_SSH_KEY", "CLUSTER_SSH_PORT", "CLUSTER_SSH_OPTS")

        package let exposeAdminuserNodeport = ask(
            "EXPOSE_ADMINUSER_NODEPORT", .adminPort, "A NodePort into the admin's own server, without login.")
        let adminPort = rest(
            .adminPort,
            "ADMINUSER_TARGET_PORT", "ADMINUSER_NODEPORT", "ADMINUSER_PORTFORWARD", "ADMINUSER_PF_PORT",
            "ADMINUSER_PF_BIND_ADDR")

        let ubilink = rest(
            .ubilink, "UBILINK_AUTH_ME_URL", "UBILINK_LOGIN_URL", "UBILINK_LOGIN_SERVICE",
            "UBILINK_HTTP_TIMEOUT_SECONDS")
        let pages = rest(
            .pages,
            "CUSTOM_STATIC_SOURCE_DIR", "LOGIN_LOGO_PATH", "CUSTOM_STATIC_ENABLED", "CUSTOM_STATIC_CONFIGMAP",
            "CUSTOM_STATIC_MOUNT_PATH", "CUSTOM_STATIC_LOGO_NAME", "LOGIN_TEMPLATE_PATH")
        let monitors = rest(
            .monitors,
            "USER_MONITOR_UPSTREAM_HOST", "PORT_MAPPER_PORT", "USER_RESOURCE_MONITOR_PORT", "USER_LOGS_MONITOR_PORT")
        let healing = rest(
            .healing, "HEALTHCHECK_MODE", "HEAL_UNKNOWN_PODS", "HEAL_UNKNOWN_PODS_ALL", "HEAL_UNKNOWN_USER_PODS")

        private static func ask(_ name: String, _ feature: Feature, _ meaning: String) -> Key<Bool> {
            Key(name, .flag, default: "false", .later(feature, isSwitch: true), meaning)
        }

        private static func rest(_ feature: Feature, _ names: String...) -> [Key<String>] {
            names.map { Key($0, .anything, .later(feature), "Part of \(feature.rawValue).") }
        }
    }
}
