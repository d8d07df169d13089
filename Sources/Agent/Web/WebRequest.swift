import NIOHTTP1

/// What a client asks for. The agent has nothing to be changed, so there is no body.
package struct WebRequest: Hashable, Sendable {
    package var path: String
    package var query: [String: String]
    /// What stands after "Bearer " in the Authorization header.
    package var token: String?

    package init(_ path: String, query: [String: String] = [:], token: String? = nil) {
        (self.path, self.query, self.token) = (path, query, token)
    }

    init(_ head: HTTPRequestHead) {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        path = parts[0]
        query = [:]
        for pair in parts.dropFirst().joined().split(separator: "&") {
            let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(words[0])] = words.count > 1 ? String(words[1]) : ""
        }
        let words = head.headers.first(name: "authorization")?.split(separator: " ") ?? []
        token = words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
    }
}

/// What the agent says to a request.
package struct WebAnswer: Hashable, Sendable {
    package var status: Int
    package var type: String
    package var body: [UInt8]

    package init(_ status: Int, type: String = "text/plain; charset=utf-8", _ body: some Sequence<UInt8>) {
        (self.status, self.type, self.body) = (status, type, Array(body))
    }

    package init(_ status: Int, _ line: String) { self.init(status, (line + "\n").utf8) }
}

/// The network, or the other end, as far as it failed us.
package struct WebError: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
