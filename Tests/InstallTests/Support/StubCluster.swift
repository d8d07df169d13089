import Kube
import Synchronization
import TestSupport

/// An API server with objects in memory: it gives, lists, applies and deletes them.
final class StubCluster: Sendable {
    private let objects: Objects
    private let server: StubServer

    init(_ manifests: [JSON] = []) throws {
        let objects = Objects()
        self.objects = objects
        server = try StubServer { objects.answer($0) }
        for manifest in manifests { try put(manifest) }
    }

    var kubeconfig: String {
        """
        apiVersion: v1
        kind: Config
        current-context: test
        clusters: [{name: test, cluster: {server: "\(server.url)"}}]
        contexts: [{name: test, context: {cluster: test, user: test}}]
        users: [{name: test, user: {token: geheim}}]
        """
    }

    func put(_ object: JSON) throws {
        let path = try Manifest(object).path()
        objects.state.withLock { $0.byPath[path] = object }
    }

    subscript(path: String) -> JSON? {
        get { objects.state.withLock { $0.byPath[path] } }
        set { objects.state.withLock { $0.byPath[path] = newValue } }
    }

    /// What its `/readyz` says is wrong.
    var trouble: String? {
        get { objects.state.withLock { $0.trouble } }
        set { objects.state.withLock { $0.trouble = newValue } }
    }

    /// Whether it lets everybody do everything.
    var isOpen: Bool {
        get { objects.state.withLock { $0.isOpen } }
        set { objects.state.withLock { $0.isOpen = newValue } }
    }

    /// The paths that were changed, in order.
    var changed: [String] { objects.state.withLock { $0.changed } }

    fileprivate final class Objects: Sendable {
        struct State: Sendable {
            var byPath: [String: JSON] = [:]
            var changed: [String] = []
            var trouble: String?
            var isOpen = false
        }
        let state = Mutex(State())

        func answer(_ request: StubRequest) -> StubResponse {
            state.withLock { state in
                switch request.method {
                case _ where request.path == "/readyz":
                    return state.trouble.map { StubResponse(500, "[-]\($0) failed: reason withheld\n") }
                        ?? StubResponse(200, "ok")
                case "GET":
                    if let object = state.byPath[request.path] { return StubResponse(200, object.text()) }
                    return state.list(request.path) ?? StubCluster.absent
                case "PATCH":
                    guard let given = try? JSON(parsing: request.body) else { return StubResponse(400) }
                    let whole = state.byPath[request.path]?.applying(given) ?? given
                    if !request.query.contains("dryRun=All") {
                        state.byPath[request.path] = whole
                        state.changed.append(request.path)
                    }
                    return StubResponse(200, whole.text())
                case "POST" where request.path.hasSuffix("/subjectaccessreviews"):
                    return StubResponse(201, #"{"status": {"allowed": \#(state.isOpen)}}"#)
                case "DELETE":
                    guard state.byPath.removeValue(forKey: request.path) != nil else { return StubCluster.absent }
                    state.changed.append(request.path)
                    return StubResponse(200, #"{"kind": "Status"}"#)
                default: return StubResponse(405)
                }
            }
        }
    }

    fileprivate static let absent = StubResponse(404, #"{"kind": "Status", "message": "not found"}"#)
}

extension StubCluster.Objects.State {
    fileprivate func list(_ path: String) -> StubResponse? {
        let kinds = ["pods": "PodList", "nodes": "NodeList", "events": "EventList"]
        guard let kind = path.split(separator: "/").last.flatMap({ kinds[String($0)] }) else { return nil }
        let items = byPath.filter { $0.key.hasPrefix(path + "/") }.sorted { $0.key < $1.key }.map(\.value)
        let list: JSON = ["apiVersion": "v1", "kind": .string(kind), "items": .array(items)]
        return StubResponse(200, list.text())
    }
}

extension JSON {
    /// As a server-side apply lays one over the other: maps deep, lists by name.
    fileprivate func applying(_ other: JSON) -> JSON {
        switch (self, other) {
        case (.object(let old), .object(let new)): return .object(old.merging(new) { $0.applying($1) })
        case (.array(let old), .array(let new)) where (old + new).allSatisfy { $0["name"] != nil }:
            let kept = old.map { element in
                new.first { $0["name"] == element["name"] }.map { element.applying($0) } ?? element
            }
            return .array(kept + new.filter { element in !old.contains { $0["name"] == element["name"] } })
        default: return other
        }
    }
}
