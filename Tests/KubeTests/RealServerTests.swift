import FoundationEssentials
import Kube
import Testing

private let realServer = ProcessInfo.processInfo.environment["JHUB_TEST_KUBECONFIG"]

/// Against a real API server, where JHUB_TEST_KUBECONFIG names the kubeconfig of one that may be written to.
@Suite(.serialized, .enabled(if: realServer != nil)) struct RealServerTests {
    private let namespace: JSON = .string("jhub-test")

    private func client() throws -> KubeClient {
        func bytes(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map(Array.init) }
        let yaml = String(decoding: try #require(realServer.flatMap(bytes)), as: UTF8.self)
        return KubeClient(try KubeConfig(yaml: yaml, read: bytes))
    }

    private func object(_ version: String, _ kind: String, _ name: String, _ rest: JSON) -> Manifest {
        var members: [String: JSON] = rest.object ?? [:]
        members["apiVersion"] = .string(version)
        members["kind"] = .string(kind)
        members["metadata"] = ["name": .string(name), "namespace": namespace]
        return Manifest(.object(members))
    }

    private var manifests: [Manifest] {
        let pod: JSON = [
            "metadata": ["labels": ["app": "t"]],
            "spec": [
                "containers": [
                    [
                        "name": "c", "image": "img:1", "ports": [["containerPort": 53]],
                        "resources": ["requests": ["memory": "1024Mi", "cpu": "0.5"]],
                    ]
                ]
            ],
        ]
        return [
            Manifest(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": namespace]]),
            object("v1", "ConfigMap", "c", ["data": ["a.yaml": "x: 1\n", "b": "ü"]]),
            object("v1", "Secret", "s", ["type": "Opaque", "stringData": ["password": "hidden"]]),
            object("v1", "ServiceAccount", "a", [:]),
            object(
                "v1", "Service", "web",
                ["spec": ["type": "NodePort", "selector": ["app": "t"], "ports": [["port": 80, "nodePort": 30987]]]]),
            object(
                "v1", "Service", "dns",
                ["spec": ["ports": [["name": "u", "port": 53, "protocol": "UDP"], ["name": "t", "port": 53]]]]),
            object(
                "v1", "PersistentVolumeClaim", "v",
                ["spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1024Mi"]]]]),
            object("v1", "ResourceQuota", "q", ["spec": ["hard": ["pods": "10", "requests.memory": "2048Mi"]]]),
            object("v1", "LimitRange", "l", ["spec": ["limits": [["type": "Container", "default": ["cpu": "0.5"]]]]]),
            object(
                "apps/v1", "Deployment", "d",
                ["spec": ["replicas": 1, "selector": ["matchLabels": ["app": "t"]], "template": pod]]),
            object(
                "apps/v1", "DaemonSet", "ds", ["spec": ["selector": ["matchLabels": ["app": "t"]], "template": pod]]),
            object(
                "networking.k8s.io/v1", "NetworkPolicy", "n",
                ["spec": ["podSelector": [:], "policyTypes": ["Ingress"], "ingress": [["ports": [["port": 80]]]]]]),
            object(
                "rbac.authorization.k8s.io/v1", "Role", "r",
                ["rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]]),
        ]
    }

    @Test func whatIsAppliedStands() async throws {
        let client = try client()
        #expect(await client.ready() == .ready)
        for manifest in manifests {
            try await client.apply(manifest)
            #expect(try await client.wouldChange(manifest) == [], "\(manifest)")
        }
    }

    @Test func eachChangeIsNamed() async throws {
        let client = try client()
        for manifest in manifests { try await client.apply(manifest) }
        let root = "/api/v1/namespaces/jhub-test"
        try await client.patch("\(root)/configmaps/c", ["data": ["a.yaml": "x: 2\n"]])
        try await client.patch("\(root)/secrets/s", ["data": ["password": "eA=="]])
        try await client.patch("\(root)/services/web", ["spec": ["selector": ["app": "other"]]])
        try await client.patch("/apis/apps/v1/namespaces/jhub-test/deployments/d", ["spec": ["replicas": 3]])
        try await client.delete("\(root)/serviceaccounts/a")
        var changes: [String: [String]] = [:]
        for manifest in manifests { changes[manifest.description] = try await client.wouldChange(manifest) }
        #expect(
            changes.filter { !$0.value.isEmpty } == [
                "jhub-test ConfigMap/c": [#"data["a.yaml"]"#], "jhub-test Secret/s": ["data.password"],
                "jhub-test Service/web": ["spec.selector.app"], "jhub-test Deployment/d": ["spec.replicas"],
                "jhub-test ServiceAccount/a": [KubeClient.absent],
            ])
        for manifest in manifests { try await client.apply(manifest) }
        for manifest in manifests { #expect(try await client.wouldChange(manifest) == []) }
    }

    @Test func aFieldTakenOutOfTheManifestIsTakenOutOfTheObject() async throws {
        let client = try client()
        try await client.apply(manifests[0])
        try await client.apply(object("v1", "ConfigMap", "gone", ["data": ["a": "1", "b": "2"]]))
        let less = object("v1", "ConfigMap", "gone", ["data": ["a": "1"]])
        #expect(try await client.wouldChange(less) == ["data.b"])
        #expect(try await client.apply(less)["data"] == ["a": "1"])
    }

    @Test func objectsThatAnotherMadeAreTakenOver() async throws {
        let client = try client()
        try await client.apply(manifests[0])
        let path = "/api/v1/namespaces/jhub-test/configmaps"
        try await client.delete("\(path)/foreign")
        let wanted = object("v1", "ConfigMap", "foreign", ["data": ["a": "1"]])
        try await client.create(path, wanted.object)
        #expect(try await client.wouldChange(wanted) == [])
        let error = await #expect(throws: KubeError.self) { try await client.create(path, wanted.object) }
        #expect(error?.status == 409)
    }

    @Test func aWatchSeesWhatHappens() async throws {
        let client = try client()
        try await client.apply(manifests[0])
        let path = "/api/v1/namespaces/jhub-test/configmaps"
        try await client.delete("\(path)/watched")
        let manifest = object("v1", "ConfigMap", "watched", ["data": ["a": "1"]])
        let seen = Events()
        let list = try #require(try await client.get(path))
        let version = list[["metadata", "resourceVersion"]]?.string
        async let watch: Void = client.watch(
            path, resourceVersion: version, fieldSelector: "metadata.name=watched", for: .seconds(20)
        ) { event in
            seen.take(event, of: 3)
        }
        try await client.apply(manifest)
        try await client.patch("\(path)/watched", ["data": ["a": "2"]])
        try await client.delete("\(path)/watched")
        try await watch
        #expect(seen.all.map(\.kind) == [.added, .modified, .deleted])
    }

    @Test func whatItRefusesIsSaid() async throws {
        let client = try client()
        let bad = object("apps/v1", "Deployment", "bad", ["spec": ["replicas": "many"]])
        let error = await #expect(throws: KubeError.self) { try await client.apply(bad) }
        #expect(error?.description.contains("replicas") == true)
        #expect(try await client.version().major == 1)
        #expect(try await client.get("/api/v1/namespaces/jhub-test/secrets/none") == nil)
    }
}
