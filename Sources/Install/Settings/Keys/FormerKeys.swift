extension Settings {
    /// Keys that sites have in their files and that do nothing any more, each with the reason.
    struct FormerKeys: Sendable {
        let renamed = [
            Key("IDLE_TIMEOUT", .anything, .renamed(to: "CULL_TIMEOUT_SECONDS"), "Was documented and never read."),
            Key("OFFLINE_IMAGES_DIR", .anything, .renamed(to: "OFFLINE_IMAGE_DIR"), "Was documented and never read."),
        ]

        let replaced = [
            former("FORCE_RUNC", "runc and overlayfs are what MicroK8s has by itself; its containerd is left alone"),
            former("AUTO_PULL_CORE_IMAGES", "nothing is pulled: every image comes from the bundle"),
            former("PF_BIND_ADDR", noForward), former("PF_LOCAL_PORT", noForward), former("PF_AUTOSTART", noForward),
            former("JHUB_HOME", "no values file is written: it would hold secrets"),
            former("JHUB_ENV_FILE", "the file is named with --config"),
            former("DEBUG_INSTALL_IMAGES", "--verbose shows more"),
            former("PREPULL_IMAGES", "every image is on the node before the hub is installed"),
            former("PYTHON_BIN", "nothing runs from a checkout"),
            former("MICROK8S_API_HOST", "the kubeconfig is used as it is"),
            former("PORTAL_ROOT_DIR", "what was written stands in the record of changes"),
            former("PORTAL_CONFIG_PATH", "what was written stands in the record of changes"),
        ]
        private static let noForward = "no port is forwarded: the NodePort and Nginx are the ways in"

        /// These did nothing in the old program either.
        let dead = [
            former("CALICO_VERSION", "the version is the one in the bundle"),
            former("GPU_OPERATOR_DISABLE_DRIVER", neverRead),
            former("GPU_OPERATOR_DRIVER_RUNFILE_URL", "the operator's chart has no such value"),
            former("GPU_OPERATOR_DRIVER_PKG_MANAGER", "the operator's chart has no such value"),
            former("MPI_OPERATOR_VERSION", neverRead),
            former("PREPULL_EXTRA_IMAGES", "it was never passed on; every image of the bundle is on the node anyway"),
            former(
                "AZUREAD_ALLOWED_TENANTS",
                "the hub's Azure login has no such setting; AZUREAD_TENANT_ID names the tenant"),
            former("CUSTOM_VALUES_FILE", neverRead),
            former("NAMESPACE_LABELS", neverRead),
        ]
        private static let neverRead = "it was documented and never read"

        private static func former(_ name: String, _ reason: String) -> Key<String> {
            Key(name, .anything, .ignored(reason), "Ignored: \(reason).")
        }
    }
}
