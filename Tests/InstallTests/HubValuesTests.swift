import Hosts
import Images
import Kube
import SystemPackage
import Testing

@testable import Install

@Suite struct HubValuesTests {
    private func values(_ config: String = "", profiles: [JSON] = []) throws -> JSON {
        try HubValuesCase.values(config, profiles: profiles)
    }

    @Test func theHubIsReachedThroughItsNodePort() throws {
        let values = try values("NODEPORT_FALLBACK_PORT=31000")
        #expect(values[["proxy", "service", "type"]] == "NodePort")
        #expect(values[["proxy", "service", "nodePorts", "http"]] == 31000)
    }

    @Test func secretsAreGivenSoThatNoneIsMade() throws {
        let values = try values()
        #expect(values[["proxy", "secretToken"]] == "token")
        #expect(values[["hub", "cookieSecret"]] == "cookie")
        #expect(values[["hub", "config", "CryptKeeper", "keys"]] == ["crypt"])
    }

    @Test(arguments: [
        ("", "quay.io/jupyterhub/k8s-hub", "4.2.0"), ("HUB_IMAGE=myorg/hub:1", "docker.io/myorg/hub", "1"),
        ("HUB_IMAGE=reg.example.com:5000/a/b:2.0", "reg.example.com:5000/a/b", "2.0"),
        ("HUB_IMAGE=a/b@sha256:" + hex, "docker.io/a/b@sha256", hex),
    ])
    func anImageIsANameAndATag(_ config: String, name: String, tag: String) throws {
        let image = try values(config)[["hub", "image"]]
        #expect(image?["name"] == .string(name))
        #expect(image?["tag"] == .string(tag))
    }

    private static let hex = String(repeating: "ab", count: 32)

    @Test func nothingIsPulledUnlessTheConfigSaysSo() throws {
        let policy = { (values: JSON) in
            [["hub", "image"], ["singleuser", "image"], ["proxy", "chp", "image"]].map {
                values[$0]?["pullPolicy"]?.string
            }
        }
        #expect(policy(try values()) == ["Never", "Never", "Never"])
        #expect(policy(try values("HUB_IMAGE_PULL_POLICY=IfNotPresent")) == ["IfNotPresent", "Never", "Never"])
        let values = try values()
        for list in ["hook", "continuous"] { #expect(values[["prePuller", list, "enabled"]] == false) }
        #expect(values[["singleuser", "cloudMetadata", "blockWithIptables"]] == false)
        #expect(values[["scheduling", "userScheduler", "enabled"]] == false)
    }

    @Test func theCullerIsAsTheConfigSays() throws {
        #expect(try values()[["cull", "enabled"]] == false)
        let config = "ENABLE_IDLE_CULLER=true\nCULL_TIMEOUT_SECONDS=60\nCULL_EVERY_SECONDS=30\nCULL_USERS=1"
        #expect(
            try values(config)["cull"] == [
                "enabled": true, "timeout": 60, "every": 30, "concurrency": 10, "users": true,
            ])
    }

    @Test func codeIsMountedAndNeverPasted() throws {
        let files = try values()[["hub", "extraFiles"]]
        #expect(files?.object?.keys.sorted() == ["10-native.py"])
        #expect(
            files?["10-native.py"]?["mountPath"] == "/usr/local/etc/jupyterhub/jupyterhub_config.d/10-native.py")
        #expect(try values()[["custom", "jhub"]] == ["admins": ["admin"], "native": true])
    }

    @Test func onlyThoseNamedMayFrameIt() throws {
        let path = ["hub", "config", "JupyterHub", "tornado_settings", "headers", "Content-Security-Policy"]
        #expect(try values()[path] == "frame-ancestors 'self';")
        #expect(
            try values("JHUB_FRAME_ANCESTORS=\"https://a.example https://b.example\"")[path]
                == "frame-ancestors 'self' https://a.example https://b.example;")
    }

    @Test func scratchDiskAndAReadOnlyRootAreTheSpawnersOwn() throws {
        let config = """
            SINGLEUSER_EPHEMERAL_STORAGE_REQUEST=1Gi
            SINGLEUSER_EPHEMERAL_STORAGE_LIMIT=2Gi
            SINGLEUSER_READONLY_ROOTFS=true
            """
        let values = try values(config)
        #expect(
            values[["hub", "config", "KubeSpawner"]] == [
                "extra_resource_guarantees": ["ephemeral-storage": "1Gi"],
                "extra_resource_limits": ["ephemeral-storage": "2Gi"],
                "container_security_context": ["readOnlyRootFilesystem": true],
            ])
        let mounts = values[["singleuser", "storage", "extraVolumeMounts"]]?.array?.compactMap {
            $0["mountPath"]?.string
        }
        #expect(mounts == ["/workspace/storage", "/tmp", "/run"])
    }

    @Test func profilesAreHandedOn() throws {
        #expect(
            try values(profiles: [["display_name": "A"]])[["singleuser", "profileList"]] == [["display_name": "A"]])
    }

    @Test func sameSettingsGiveTheSameValues() throws {
        #expect(try values().text() == values().text())
    }
}

@Suite struct HomeVolumesTests {
    private func storage(_ config: String) throws -> JSON {
        try HubValuesCase.values(config)[["singleuser", "storage"]] ?? .null
    }

    @Test func aHomeOfItsOwnForEach() throws {
        let storage = try storage("PVC_SIZE=5Gi\nSINGLEUSER_STORAGE_CLASS=fast\nSINGLEUSER_HOME_MOUNT_PATH=/home/me")
        #expect(storage["type"] == "dynamic")
        #expect(storage["capacity"] == "5Gi")
        #expect(storage["dynamic"] == ["storageClass": "fast"])
        #expect(storage["homeMountPath"] == "/home/me")
    }

    @Test func homesInOneClaimAreFoldersByTheUsersName() throws {
        let storage = try storage("SINGLEUSER_STORAGE_TYPE=static\nSINGLEUSER_STORAGE_CLAIM=homes")
        #expect(storage["static"] == ["pvcName": "homes", "subPath": "home/{unescaped_username}"])
        #expect(storage["capacity"] == nil && storage["dynamic"] == nil)
        #expect(try self.storage("SINGLEUSER_STORAGE_TYPE=none")["type"] == "none")
    }

    @Test func theSharedFolderIsOnesOwnPartOfIt() throws {
        let storage = try storage("SINGLEUSER_MOUNT_JHUB_LOGS=true")
        #expect(
            storage["extraVolumeMounts"] == [
                ["name": "shared", "mountPath": "/workspace/storage", "subPath": "{unescaped_username}"],
                ["name": "jhub-logs", "mountPath": "/var/log/jupyter", "subPath": "{unescaped_username}"],
            ])
        let claims = storage["extraVolumes"]?.array?.map { $0[["persistentVolumeClaim", "claimName"]]?.string }
        #expect(claims == ["storage-local-pvc", "jhub-logs-pvc"])
    }

    @Test func aFolderIsMadeBeforeTheServerStarts() throws {
        let values = try HubValuesCase.values()
        let container = try #require(values[["singleuser", "initContainers"]]?.array?.first)
        #expect(container["image"] == "quay.io/jupyterhub/k8s-singleuser-sample:4.2.0")
        #expect(container["imagePullPolicy"] == "Never")
        #expect(container["securityContext"]?["runAsUser"] == 0)
        #expect(
            container["command"]?.array?.last == .string(try repositoryText("templates/hub/prepare-shared-folder.sh")))
        #expect(
            container["env"] == [
                ["name": "FOLDER", "value": "{unescaped_username}"], ["name": "OWNER", "value": "1000:100"],
            ])
    }

    @Test func withoutASharedFolderNothingIsMounted() throws {
        let values = try HubValuesCase.values("SHARED_STORAGE_ENABLED=false")
        #expect(values[["singleuser", "initContainers"]] == nil)
        #expect(values[["singleuser", "storage", "extraVolumes"]] == [])
    }
}

/// Values as the stage makes them, of a config.
enum HubValuesCase {
    static func values(_ config: String = "", profiles: [JSON] = []) throws -> JSON {
        var files: [String: String] = [:]
        for name in ["10-native.py", "prepare-shared-folder.sh"] {
            files[name] = try repositoryText("templates/hub/\(name)")
        }
        let secrets = HubSecrets(proxyToken: "token", cookieSecret: "cookie", cryptKey: "crypt")
        return HubValues(
            settings: try Settings(parsing: config), secrets: secrets, profiles: profiles, files: files
        ).json
    }
}
