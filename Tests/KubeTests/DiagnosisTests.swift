import FoundationEssentials
import Kube
import TestSupport
import Testing

/// Each case is a pod as the API server gave it, and in its last line what is to be said of it.
@Suite struct DiagnosisTests {
    private static let folder = TestsFolder.path + "/Fixtures/pods"
    private static let cases = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []

    @Test(arguments: cases)
    func saysWhatKeepsAPod(name: String) async throws {
        let text = String(
            decoding: try #require(FileManager.default.contents(atPath: "\(Self.folder)/\(name)")), as: UTF8.self)
        guard case .object(var pod) = try JSON(yaml: text) else { throw KubeError("no pod") }
        pod["kind"] = "Pod"
        let server = try cluster([.object(pod)])
        let client = KubeClient(KubeConfig(server: server.url))
        let namespace = try #require(JSON.object(pod)[["metadata", "namespace"]]?.string)
        let said = try await Diagnosis.pods("app=x", namespace: namespace, in: client)
        let wanted = try #require(text.split(separator: "\n").last?.dropFirst(2))
        #expect(said == (wanted == "ready" ? nil : "pod \(namespace)/\(wanted)"))
    }

    @Test func thereAreCases() { #expect(Self.cases.count >= 9) }

    @Test func theWorstOfSeveralPodsIsNamed() async throws {
        let waiting = pod("a", ["phase": "Pending"])
        let missing = pod(
            "b",
            [
                "phase": "Pending",
                "containerStatuses": [["name": "c", "state": ["waiting": ["reason": "ErrImagePull"]]]],
            ])
        let server = try cluster([waiting, missing])
        let client = KubeClient(KubeConfig(server: server.url))
        let said = try await Diagnosis.workload("Deployment", "d", namespace: "n", in: client)
        #expect(said == "pod n/b: container c: ErrImagePull img:1")
        #expect(server.requests.contains { $0.query.contains("labelSelector=app%3Dx%2Ctier%3Dy") })
    }

    @Test func aWorkloadWithoutPodsTellsItsController() async throws {
        let client = KubeClient(KubeConfig(server: try cluster([]).url))
        let said = try await Diagnosis.workload("Deployment", "d", namespace: "n", in: client)
        #expect(
            said == #"n Deployment/d: 0 of 1 replicas are of the new version: pods "d-1" is forbidden: exceeded quota"#)
    }

    @Test func whatIsNotThereIsSaidSo() async throws {
        let server = try StubServer { _ in StubResponse(404, "{}") }
        let client = KubeClient(KubeConfig(server: server.url))
        #expect(try await Diagnosis.node("w1", in: client) == "node w1 is not registered")
        let said = try await Diagnosis.workload("DaemonSet", "calico-node", namespace: "kube-system", in: client)
        #expect(said == "kube-system DaemonSet/calico-node is not there")
        #expect(try await Diagnosis.pod("p", namespace: "n", in: client) == "pod n/p is not there")
    }

    @Test func aNodeSaysItsKubeletsReason() async throws {
        let node: JSON = [
            "kind": "Node",
            "status": [
                "conditions": [["type": "Ready", "status": "False", "message": "container runtime network\nnot ready"]]
            ],
        ]
        let server = try StubServer { _ in StubResponse(200, node.text()) }
        let said = try await Diagnosis.node("w1", in: KubeClient(KubeConfig(server: server.url)))
        #expect(said == "node w1 is not ready: container runtime network; not ready")
    }

    private func pod(_ name: String, _ status: JSON) -> JSON {
        [
            "kind": "Pod", "metadata": ["name": .string(name), "namespace": "n"],
            "spec": ["containers": [["name": "c", "image": "img:1"]]], "status": status,
        ]
    }

    private func cluster(_ pods: [JSON]) throws -> StubServer {
        try StubServer { request in
            switch request.path {
            case "/apis/apps/v1/namespaces/n/deployments/d":
                let labels: JSON = ["tier": "y", "app": "x"]
                let spec: JSON = ["replicas": 1, "selector": ["matchLabels": labels]]
                return StubResponse(200, JSON.object(["kind": "Deployment", "spec": spec]).text())
            case let path where path.hasSuffix("/pods"):
                return StubResponse(200, JSON.object(["kind": "PodList", "items": .array(pods)]).text())
            case let path where path.hasSuffix("/events"):
                return StubResponse(200, Self.events.text())
            case let path where path.hasSuffix("/log"):
                return StubResponse(200, "Traceback\n  ImportError: no module\n\nbye\n")
            default: return StubResponse(404, #"{"message":"not found"}"#)
            }
        }
    }

    private static let events: JSON = [
        "kind": "EventList",
        "items": [
            [
                "involvedObject": ["name": "hub-1"], "lastTimestamp": "2024-01-01T00:00:05Z",
                "message": "MountVolume.SetUp failed for volume \"secret\" : secret \"hub\" not found",
            ],
            ["involvedObject": ["name": "hub-1"], "lastTimestamp": "2024-01-01T00:00:01Z", "message": "older"],
            ["involvedObject": ["name": "hub-2"], "lastTimestamp": "2024-01-01T00:00:09Z", "message": "another's"],
            [
                "involvedObject": ["name": "d-5d9"], "lastTimestamp": "2024-01-01T00:00:09Z",
                "message": "pods \"d-1\" is forbidden: exceeded quota",
            ],
        ],
    ]
}

enum TestsFolder {
    static let path = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
}
