import Images
import Kube
import SystemPackage

import class Foundation.FileManager

/// The values for chart 4.2.0, as data. Code that the hub runs stays in `templates/hub/`; it reads `custom.jhub`.
struct HubValues {
    var settings: Settings
    var secrets: HubSecrets
    var profiles: [JSON]
    /// Files of `templates/hub/`, by name.
    var files: [String: String]

    var json: JSON {
        [
            "proxy": [
                "secretToken": .string(secrets.proxyToken),
                "service": ["type": "NodePort", "nodePorts": ["http": .int(settings.nodeportFallbackPort)]],
                "chp": ["image": image(settings.proxyImage, policy: settings.proxyImagePullPolicy)],
            ],
            "hub": hub,
            "singleuser": singleuser,
            "cull": [
                "enabled": .bool(settings.enableIdleCuller), "timeout": .int(settings.cullTimeoutSeconds),
                "every": .int(settings.cullEverySeconds), "concurrency": .int(settings.cullConcurrency),
                "users": .bool(settings.cullUsers),
            ],
            // Both are there to pull images, which lie on the nodes already.
            "prePuller": ["hook": ["enabled": false], "continuous": ["enabled": false]],
            "scheduling": ["userScheduler": ["enabled": false], "userPlaceholder": ["enabled": false]],
            "custom": ["jhub": custom],
        ]
    }

    /// What the files of `templates/hub/` read.
    private var custom: JSON {
        ["admins": .array(settings.admins.map { .string($0) }), "native": .bool(settings.authMode == .native)]
    }

    private var hub: JSON {
        var extraFiles: [String: JSON] = [:]
        for (name, text) in files where name.hasSuffix(".py") {
            extraFiles[name] = [
                "mountPath": .string("/usr/local/etc/jupyterhub/jupyterhub_config.d/\(name)"),
                "stringData": .string(text),
            ]
        }
        return [
            "image": image(settings.hubImage, policy: settings.hubImagePullPolicy),
            "cookieSecret": .string(secrets.cookieSecret),
            "db": ["type": "sqlite-pvc", "pvc": ["storageClassName": .string(settings.singleuserStorageClass)]],
            "config": config,
            "services": [HubSecrets.service: [:]],
            "loadRoles": [
                HubSecrets.service: [
                    "description": "jhub-install ends the servers on a node that is removed.",
                    "scopes": ["delete:servers"], "services": [.string(HubSecrets.service)],
                ]
            ],
            "extraFiles": .object(extraFiles),
            "extraVolumes": [
                [
                    "name": "jhub-admin",
                    "secret": [
                        "secretName": .string(HubSecrets.name),
                        "items": [["key": "admin-password", "path": "password"]],
                    ],
                ]
            ],
            "extraVolumeMounts": [["name": "jhub-admin", "mountPath": "/run/jhub-admin", "readOnly": true]],
            "nodeSelector": settings.hubNodeSelectorJson,
            "tolerations": settings.hubTolerationsJson,
        ]
    }

    private var config: JSON {
        var config: [String: JSON] = [
            "JupyterHub": [
                "admin_access": true,
                "authenticator_class": Login(settings: settings).className,
                "allow_named_servers": .bool(settings.allowNamedServers),
                "named_server_limit_per_user": .int(settings.namedServerLimit),
                "tornado_settings": [
                    "slow_spawn_timeout": 0,
                    "headers": ["Content-Security-Policy": .string(frameAncestors)],
                ],
            ],
            "Spawner": [
                "http_timeout": .int(settings.spawnerHttpTimeout),
                "start_timeout": .int(settings.kubespawnerStartTimeout),
            ],
            "CryptKeeper": ["keys": [.string(secrets.cryptKey)]],
            "KubeSpawner": kubeSpawner,
        ]
        config.merge(Login(settings: settings).config) { $1 }
        return .object(config)
    }

    /// Who may show the hub in a frame: the hub itself, and those whom the config names.
    private var frameAncestors: String {
        "frame-ancestors " + (["'self'"] + settings.jhubFrameAncestors).joined(separator: " ") + ";"
    }

    private var singleuser: JSON {
        var values: [String: JSON] = [
            "image": image(settings.singleuserImage, policy: settings.singleuserImagePullPolicy),
            "profileList": .array(profiles),
            "storage": volumes.storage,
            // It needs a privileged container of another image; the chart's network policy closes the same door.
            "cloudMetadata": ["blockWithIptables": false],
            "nodeSelector": settings.singleuserNodeSelectorJson,
            "extraTolerations": settings.singleuserTolerationsJson,
            "startTimeout": .int(settings.kubespawnerStartTimeout),
            // JupyterLab would look for news and updates on the Internet.
            "extraFiles": [
                "jupyter-offline": [
                    "mountPath": "/etc/jupyter/jupyter_server_config.d/jhub-offline.json",
                    "stringData": .string(files["jupyter-offline.json"] ?? "{}"),
                ]
            ],
        ]
        if settings.sharedStorageEnabled {
            values["initContainers"] = [volumes.initContainer]
        }
        return .object(values)
    }

    private var volumes: HomeVolumes {
        HomeVolumes(settings: settings, script: files["prepare-shared-folder.sh"] ?? "")
    }

    /// What the chart has no key of its own for.
    private var kubeSpawner: JSON {
        var spawner: [String: JSON] = [:]
        if let request = settings.singleuserEphemeralStorageRequest {
            spawner["extra_resource_guarantees"] = ["ephemeral-storage": .string(request.text)]
        }
        if let limit = settings.singleuserEphemeralStorageLimit {
            spawner["extra_resource_limits"] = ["ephemeral-storage": .string(limit.text)]
        }
        if settings.singleuserReadonlyRootfs {
            spawner["container_security_context"] = ["readOnlyRootFilesystem": true]
        }
        return .object(spawner)
    }

    private func image(_ text: String, policy: PullPolicy) -> JSON {
        // The settings have read it once already.
        guard let reference = try? ImageReference(parsing: text) else { return ["name": .string(text)] }
        // The chart puts a colon between the two, also in NAME@sha256:DIGEST.
        let (name, tag) =
            reference.digest.map { (reference.name + "@sha256", $0.hex) } ?? (reference.name, reference.tag ?? "latest")
        return ["name": .string(name), "tag": .string(tag), "pullPolicy": .string(policy.rawValue)]
    }
}

extension Settings {
    package var admins: [String] { self.adminUsersCsv }
}

extension ImageReference {
    /// Without tag and digest.
    var name: String { registry + "/" + repository }
}

extension HubValues {
    /// With the files of `templates/hub/` and `profiles/`, and sizes of server for a cluster whose largest node is this.
    init(settings: Settings, secrets: HubSecrets, root: FilePath, node: NodeSize) throws {
        let folder = root.pushing("templates/hub")
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.string) {
            guard [".py", ".sh", ".json"].contains(where: name.hasSuffix) else { continue }
            let bytes = FileManager.default.contents(atPath: folder.appending(name).string) ?? .init()
            files[name] = String(decoding: bytes, as: UTF8.self)
        }
        let own = settings.allowedCustomImages.map { image -> JSON in
            ["display_name": .string(image.description), "kubespawner_override": ["image": .string(image.description)]]
        }
        let profiles = try Profile.all(in: root).map { $0.spawnerProfile(on: node) } + own
        self.init(settings: settings, secrets: secrets, profiles: profiles, files: files)
    }
}
