import Kube

/// Where a user's files are in a server: the home, and a folder of their own in the shared one.
struct HomeVolumes {
    var settings: Settings
    var script: String

    /// Where users find the shared folder; the seed's name for it.
    private static let mountPath = "/workspace/storage"
    /// The user and group that servers run as (chart 4.2.0: singleuser.uid, fsGid).
    private static let (user, group) = (1000, 100)

    var storage: JSON {
        var storage: [String: JSON] = [
            "type": .string(settings.singleuserStorageType.rawValue),
            "homeMountPath": .string(settings.singleuserHomeMountPath),
        ]
        if settings.singleuserStorageType == .dynamic {
            storage["dynamic"] = ["storageClass": .string(settings.singleuserStorageClass)]
            storage["capacity"] = .string(settings.pvcSize.text)
        }
        if settings.singleuserStorageType == .static, let claim = settings.singleuserStorageClaim {
            storage["static"] = ["pvcName": .string(claim), "subPath": "home/{unescaped_username}"]
        }
        var volumes: [JSON] = []
        var mounts: [JSON] = []
        if settings.sharedStorageEnabled {
            volumes.append(["name": "shared", "persistentVolumeClaim": ["claimName": "storage-local-pvc"]])
            // The name as the user writes it, not KubeSpawner's slug of it: the folder on the host is found by it.
            mounts.append(["name": "shared", "mountPath": .string(Self.mountPath), "subPath": "{unescaped_username}"])
        }
        if settings.singleuserMountJhubLogs {
            volumes.append(["name": "jhub-logs", "persistentVolumeClaim": ["claimName": "jhub-logs-pvc"]])
            mounts.append(["name": "jhub-logs", "mountPath": "/var/log/jupyter", "subPath": "{unescaped_username}"])
        }
        if settings.singleuserReadonlyRootfs {
            for (name, path) in [("tmp", "/tmp"), ("run", "/run")] {
                volumes.append(["name": .string(name), "emptyDir": [:]])
                mounts.append(["name": .string(name), "mountPath": .string(path)])
            }
        }
        storage["extraVolumes"] = .array(volumes)
        storage["extraVolumeMounts"] = .array(mounts)
        return .object(storage)
    }

    /// Makes the user's folder where there is none. One that stands is left as it is, owner and all.
    var initContainer: JSON {
        [
            "name": "prepare-shared-folder",
            "image": .string(settings.singleuserImage),
            "imagePullPolicy": .string(settings.singleuserImagePullPolicy.rawValue),
            "command": ["/bin/sh", "-c", .string(script)],
            "env": [
                ["name": "FOLDER", "value": "{unescaped_username}"],
                ["name": "OWNER", "value": .string("\(Self.user):\(Self.group)")],
            ],
            "securityContext": ["runAsUser": 0, "runAsNonRoot": false],
            "volumeMounts": [["name": "shared", "mountPath": "/shared"]],
        ]
    }
}
