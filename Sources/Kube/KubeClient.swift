package import HTTP

/// The few calls that this project makes of the API server. Paths are those
/// of the API itself, and of `ResourceKind` and `Manifest`.
package struct KubeClient: Sendable {
    package var config: KubeConfig
    /// How long one call may take; a watch has its own.
    package var limit: Duration
    let http: any HTTPExchange

    package init(_ config: KubeConfig, http: any HTTPExchange = Curl(), limit: Duration = .seconds(30)) {
        (self.config, self.http, self.limit) = (config, http, limit)
    }

    /// The object, or nil where there is none.
    package func get(_ path: String) async throws(KubeError) -> JSON? {
        let response = try await send("GET", path)
        return response.status == 404 ? nil : try object(response, attempt: "get \(path)")
    }

    package func get(_ manifest: Manifest) async throws(KubeError) -> JSON? { try await get(manifest.path()) }

    /// The objects of a collection, each with its kind, which the server leaves out of lists.
    package func list(
        _ path: String, labelSelector: String? = nil, fieldSelector: String? = nil
    ) async throws(KubeError) -> [JSON] {
        let selectors = [("labelSelector", labelSelector), ("fieldSelector", fieldSelector)]
        let query = selectors.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
            .joined(separator: "&")
        let list = try object(await send("GET", query.isEmpty ? path : "\(path)?\(query)"), attempt: "list \(path)")
        guard let items = list["items"]?.array else { throw KubeError("could not list \(path): the answer is no list") }
        let kind = list["kind"]?.string.map { $0.hasSuffix("List") ? String($0.dropLast(4)) : $0 }
        return items.map { item in
            guard case .object(var members) = item else { return item }
            members["apiVersion"] = members["apiVersion"] ?? list["apiVersion"]
            members["kind"] = members["kind"] ?? kind.map(JSON.string)
            return .object(members)
        }
    }

    /// Creates an object in the collection at the path; one of that name already there is an error of status 409.
    @discardableResult
    package func create(_ path: String, _ object: JSON) async throws(KubeError) -> JSON {
        let response = try await send("POST", path, "application/json", object.bytes)
        return try self.object(response, attempt: "create an object in \(path)")
    }

    @discardableResult
    package func patch(_ path: String, _ mergePatch: JSON) async throws(KubeError) -> JSON {
        let response = try await send("PATCH", path, "application/merge-patch+json", mergePatch.bytes)
        return try object(response, attempt: "patch \(path)")
    }

    /// Deletes the object and, in the background, what it owns. Answers whether it was there.
    @discardableResult
    package func delete(_ path: String) async throws(KubeError) -> Bool {
        // Without the policy, the pods of a Job would be left behind.
        let response = try await send("DELETE", "\(path)?propagationPolicy=Background")
        if response.status == 404 { return false }
        _ = try object(response, attempt: "delete \(path)")
        return true
    }

    /// The last lines that a container wrote; of its last life before this one, where `previous` is true.
    package func logs(
        namespace: String, pod: String, container: String? = nil, tail: Int = 20, previous: Bool = false
    ) async throws(KubeError) -> String {
        var path = "/api/v1/namespaces/\(namespace.percentEncoded)/pods/\(pod.percentEncoded)/log"
        path += "?tailLines=\(tail)&previous=\(previous)"
        if let container { path += "&container=\(container.percentEncoded)" }
        let response = try await send("GET", path)
        guard response.status == 200 else { throw KubeError("read the log of \(namespace)/\(pod)", response) }
        return String(decoding: response.body, as: UTF8.self)
    }

    func send(
        _ method: String, _ path: String, _ type: String? = nil, _ body: [UInt8] = []
    ) async throws(KubeError) -> HTTPResponse {
        do {
            return try await http.send(request(method, path, type, body, limit: limit))
        } catch {
            throw KubeError(error.description, isPassing: error.isPassing)
        }
    }

    func request(
        _ method: String, _ path: String, _ type: String? = nil, _ body: [UInt8] = [], limit: Duration
    ) -> HTTPRequest {
        var headers = ["Accept": "application/json"]
        headers["Content-Type"] = type
        if let token = config.token { headers["Authorization"] = "Bearer \(token.value)" }
        return HTTPRequest(
            method, config.server + path, headers: headers, body: body, limit: limit, trust: config.trust)
    }

    func object(_ response: HTTPResponse, attempt: String) throws(KubeError) -> JSON {
        guard (200..<300).contains(response.status) else { throw KubeError(attempt, response) }
        do {
            return try JSON(parsing: response.body)
        } catch {
            throw KubeError("could not \(attempt): \(error)")
        }
    }
}
