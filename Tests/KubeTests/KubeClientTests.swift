import HTTP
import Kube
import Synchronization
import TestSupport
import Testing

@Suite struct KubeClientTests {
    private let manifest = Manifest([
        "apiVersion": "v1", "kind": "Service", "metadata": ["name": "s", "namespace": "n"],
        "spec": ["ports": [["port": 80], ["port": 53, "protocol": "UDP"]]],
    ])
    private static let path = "/api/v1/namespaces/n/services/s"

    private func client(_ server: StubServer) -> KubeClient {
        KubeClient(KubeConfig(server: server.url, token: BearerToken("secret-token")), limit: .seconds(5))
    }

    @Test func getsAnObjectOrNothing() async throws {
        let server = try StubServer {
            $0.path == "/api/v1/nodes/a" ? StubResponse(200, #"{"kind":"Node"}"#) : StubResponse(404, "{}")
        }
        #expect(try await client(server).get("/api/v1/nodes/a") == ["kind": "Node"])
        #expect(try await client(server).get("/api/v1/nodes/b") == nil)
        #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret-token" })
    }

    @Test func listsObjectsWithTheirKind() async throws {
        let server = try StubServer { _ in
            StubResponse(200, #"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#)
        }
        let pods = try await client(server).list("/api/v1/pods", labelSelector: "a in (b,c)", fieldSelector: "x=y")
        #expect(pods == [["kind": "Pod", "apiVersion": "v1", "metadata": ["name": "a"]]])
        #expect(server.requests.first?.query == ["labelSelector=a%20in%20%28b%2Cc%29", "fieldSelector=x%3Dy"])
    }

    @Test func anErrorHasTheServersWords() async throws {
        let server = try StubServer { _ in
            StubResponse(403, #"{"kind":"Status","message":"pods is forbidden","code":403}"#)
        }
        let error = await #expect(throws: KubeError.self) { try await client(server).get("/api/v1/pods") }
        #expect(error?.status == 403)
        #expect(error?.description == "could not get /api/v1/pods: the API server answered 403: pods is forbidden")
    }

    @Test func noServerIsAnErrorWithoutStatus() async throws {
        let url = "http://127.0.0.1:\(try StubServer.freePort())"
        let error = await #expect(throws: KubeError.self) { try await KubeClient(KubeConfig(server: url)).get("/api") }
        #expect(error?.status == nil && error?.description.contains("Connection refused") == true)
    }

    @Test func applySendsTheWholeManifestWithForce() async throws {
        let server = try StubServer { _ in StubResponse(200, "{}") }
        try await client(server).apply(manifest)
        let asked = try #require(server.requests.first)
        #expect(asked.method == "PATCH" && asked.path == Self.path)
        #expect(asked.query == ["fieldManager=jhub-install", "force=true"])
        #expect(asked.headers["content-type"] == "application/apply-patch+yaml")
        // 1.20 wants the protocol in each port.
        let ports = try JSON(parsing: asked.body)[["spec", "ports"]]
        #expect(ports == [["port": 80, "protocol": "TCP"], ["port": 53, "protocol": "UDP"]])
    }

    @Test func aSecretsTextsAreSentAsData() async throws {
        let server = try StubServer { _ in StubResponse(200, "{}") }
        try await client(server).apply(
            Manifest([
                "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "namespace": "n"],
                "data": ["a": "eA=="], "stringData": ["b": "é"],
            ]))
        let sent = try JSON(parsing: try #require(server.requests.first).body)
        #expect(sent["data"] == ["a": "eA==", "b": "w6k="] && sent["stringData"] == nil)
    }

    @Test func containersPortsGetTheirProtocol() async throws {
        let server = try StubServer { _ in StubResponse(200, "{}") }
        let pod: JSON = ["spec": ["containers": [["name": "c", "ports": [["containerPort": 53]]]]]]
        try await client(server).apply(
            Manifest([
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "s", "namespace": "n"],
                "spec": ["template": pod],
            ]))
        let sent = try JSON(parsing: try #require(server.requests.first).body)
        let containers = sent[["spec", "template", "spec", "containers"]]?.array
        #expect(containers?.first?["ports"] == [["containerPort": 53, "protocol": "TCP"]])
    }

    private func live(_ version: String, _ type: String) -> String {
        """
        {"metadata":{"name":"s","resourceVersion":"\(version)","generation":1,"managedFields":["\(type)"]},
         "spec":{"type":"\(type)"},"status":{"x":"\(type)"}}
        """
    }

    @Test func aSettledObjectWouldNotChange() async throws {
        let server = try StubServer { [self] in
            // What the server keeps for itself may differ.
            StubResponse(200, $0.method == "GET" ? live("5", "A") : live("5", "A").replacing("[\"A\"]", with: "[]"))
        }
        #expect(try await client(server).wouldChange(manifest) == [])
        #expect(server.requests.map(\.method) == ["GET", "PATCH"])
        #expect(server.requests[1].query.contains("dryRun=All"))
    }

    @Test func aChangedFieldIsNamed() async throws {
        let server = try StubServer { [self] in StubResponse(200, live("5", $0.method == "GET" ? "A" : "B")) }
        #expect(try await client(server).wouldChange(manifest) == ["spec.type"])
    }

    @Test func whatIsAbsentIsSaidSo() async throws {
        let server = try StubServer { _ in StubResponse(404, "{}") }
        #expect(try await client(server).wouldChange(manifest) == [KubeClient.absent])
        #expect(server.requests.count == 1)
    }

    @Test func anothersWriteInBetweenIsNoChangeOfOurs() async throws {
        let gets = Atomic(0)
        let server = try StubServer { [self] request in
            if request.method == "PATCH" { return StubResponse(200, live("6", "B")) }
            let isFirst = gets.add(1, ordering: .relaxed).oldValue == 0
            return StubResponse(200, isFirst ? live("5", "A") : live("6", "B"))
        }
        #expect(try await client(server).wouldChange(manifest) == [])
    }

    @Test func otherCallsAreMadeAsTheAPIWantsThem() async throws {
        let server = try StubServer { request in
            if request.path.hasSuffix("/log") { return StubResponse(200, "a\nb\n") }
            return StubResponse(request.method == "DELETE" && request.path.hasSuffix("/gone") ? 404 : 200, "{}")
        }
        let client = client(server)
        try await client.create("/api/v1/namespaces", ["a": 1])
        try await client.patch("/api/v1/nodes/x", ["metadata": ["labels": ["a": .null]]])
        #expect(try await client.delete("/api/v1/nodes/x"))
        #expect(try await !client.delete("/api/v1/nodes/gone"))
        #expect(try await client.logs(namespace: "n", pod: "p", container: "c", tail: 3, previous: true) == "a\nb\n")
        #expect(server.requests.map(\.method) == ["POST", "PATCH", "DELETE", "DELETE", "GET"])
        #expect(server.requests[1].headers["content-type"] == "application/merge-patch+json")
        #expect(server.requests[1].text == #"{"metadata":{"labels":{"a":null}}}"#)
        #expect(server.requests[2].query == ["propagationPolicy=Background"])
        #expect(server.requests[4].query == ["tailLines=3", "previous=true", "container=c"])
    }

    @Test func unreadinessHasTheFailedChecks() async throws {
        let ready = try StubServer { _ in StubResponse(200, "ok") }
        #expect(await client(ready).ready() == .ready)
        let body = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"
        let server = try StubServer { _ in StubResponse(500, body) }
        #expect(await client(server).unreadiness() == "the API server is not ready: etcd failed: reason withheld")
    }

    @Test func theVersionIsOrdered() async throws {
        let server = try StubServer { _ in
            StubResponse(200, #"{"major":"1","minor":"20+","gitVersion":"v1.20.2-5+abc"}"#)
        }
        let version = try await client(server).version()
        #expect((version.major, version.minor, version.patch) == (1, 20, 2) && "\(version)" == "v1.20.2-5+abc")
        #expect(KubeVersion("v1.9.0").map { $0 < version } == true && KubeVersion("next") == nil)
    }
}

@Suite struct WatchTests {
    private func client(_ server: StubServer) -> KubeClient { KubeClient(KubeConfig(server: server.url)) }

    @Test func eventsComeWhereverTheirLinesAreCut() async throws {
        let lines = #"{"type":"ADDED","object":{"n":1}}"# + "\n" + #"{"type":"MODIFIED","object":{"n":"é"}}"# + "\n"
        let cut = lines.index(lines.startIndex, offsetBy: 40)
        let server = try StubServer { _ in
            StubResponse(pieces: [String(lines[..<cut]), String(lines[cut...])], pause: .milliseconds(50))
        }
        let events = Events()
        try await client(server).watch("/api/v1/pods", resourceVersion: "7", for: .seconds(5)) {
            events.take($0, of: 9)
        }
        #expect(events.all.map(\.kind) == [.added, .modified])
        #expect(events.all.map(\.object) == [["n": 1], ["n": "é"]])
        #expect(server.requests.first?.query == ["watch=true", "timeoutSeconds=5", "resourceVersion=7"])
    }

    @Test func theWatcherMayHaveEnough() async throws {
        let line = #"{"type":"ADDED","object":{}}"# + "\n"
        let server = try StubServer { _ in StubResponse(pieces: [line + line], hang: .seconds(30)) }
        let events = Events()
        try await client(server).watch("/api/v1/pods") { events.take($0, of: 1) }
        #expect(events.all.count == 1)
    }

    @Test func aForgottenVersionIsAnErrorOfStatus410() async throws {
        let gone = #"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}"#
        let server = try StubServer { _ in StubResponse(200, gone + "\n") }
        let error = await #expect(throws: KubeError.self) {
            try await client(server).watch("/api/v1/pods") { _ in true }
        }
        #expect(error?.status == 410 && error?.description.contains("too old") == true)
    }

    @Test(arguments: [#"{"message":"not allowed"}"#, "{\"message\":\n\"not allowed\"}\n"])
    func anAnswerThatIsNoWatchIsAnError(body: String) async throws {
        let server = try StubServer { _ in StubResponse(403, body) }
        let error = await #expect(throws: KubeError.self) {
            try await client(server).watch("/api/v1/pods") { _ in true }
        }
        #expect(error?.status == 403 && error?.description.contains("not allowed") == true)
    }
}

final class Events: Sendable {
    private let events = Mutex<[WatchEvent]>([])
    var all: [WatchEvent] { events.withLock { $0 } }
    func take(_ event: WatchEvent, of limit: Int) -> Bool {
        events.withLock { events in
            events.append(event)
            return events.count < limit
        }
    }
}
