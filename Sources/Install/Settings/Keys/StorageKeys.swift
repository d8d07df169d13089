package import SystemPackage

extension Settings {
    /// Homes and the shared volume.
    package struct StorageKeys: Sendable {
        package let singleuserStorageType = Key(
            "SINGLEUSER_STORAGE_TYPE", .word(HomeStorage.dynamic), default: "dynamic", .storage,
            "A user's home: dynamic (a volume each), static (one claim for all), none (gone with the server).")
        package let singleuserStorageClaim = Key(
            "SINGLEUSER_STORAGE_CLAIM", .optional(.dottedName), .storage, "The claim for static homes.")
        package let singleuserStorageClass = Key(
            "SINGLEUSER_STORAGE_CLASS", .dottedName, default: "microk8s-hostpath", .storage,
            "The StorageClass of dynamic homes.")
        package let pvcSize = Key("PVC_SIZE", .bytes, default: "20Gi", .storage, "The size of a dynamic home.")
        package let singleuserHomeMountPath = Key(
            "SINGLEUSER_HOME_MOUNT_PATH", .mountPath, default: "/home/jovyan", .storage,
            "Where the home is in a server.")

        package let sharedStorageEnabled = Key(
            "SHARED_STORAGE_ENABLED", .flag, default: "true", .storage, "A folder for each user at /workspace/storage.")
        package let sharedStoragePath = Key(
            "SHARED_STORAGE_PATH", .path, default: "/var/lib/jhub/storage", .storage,
            "The folder on the host, the same shared file system on every node.")
        package let sharedStorageSize = Key(
            "SHARED_STORAGE_SIZE", .bytes, default: "1Ti", .storage,
            "What the volume says its size is; nothing holds it to that.")

        package let hostpathProvisionerImage = Key(
            "HOSTPATH_PROVISIONER_IMAGE", .image, default: "docker.io/cdkbot/hostpath-provisioner:1.5.0", .storage,
            "The image of what makes the volumes.")
    }
}
