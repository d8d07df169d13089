/// One request and its answer. A status such as 404 is an answer, not an error.
package protocol HTTPExchange: Sendable {
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
    /// Hands over the body's bytes as they come, each time with status and headers, until the server ends it, `receive`
    /// answers false, or the task is cancelled. Answers status and headers.
    func stream(
        _ request: HTTPRequest, receive: @escaping @Sendable (_ head: HTTPResponse, _ bytes: [UInt8]) -> Bool
    ) async throws(HTTPError) -> HTTPResponse
}

package struct HTTPRequest: Hashable, Sendable {
    package var method: String
    package var url: String
    package var headers: [String: String]
    package var body: [UInt8]
    package var limit: Duration
    package var trust: Trust
    /// Where to connect, in place of the address that the URL's host has.
    package var address: String?

    package init(
        _ method: String, _ url: String, headers: [String: String] = [:], body: [UInt8] = [],
        limit: Duration = .seconds(30), trust: Trust = Trust()
    ) {
        (self.method, self.url, self.headers, self.body) = (method, url, headers, body)
        (self.limit, self.trust) = (limit, trust)
    }
}

/// Whom to believe, and who we are, on a TLS connection.
package struct Trust: Hashable, Sendable {
    /// The only authority to accept, as PEM; nil: the system's.
    package var authority: [UInt8]?
    /// Our certificate and key, as PEM. They stay in memory.
    package var certificate: [UInt8]?
    package var key: [UInt8]?

    package init(authority: [UInt8]? = nil, certificate: [UInt8]? = nil, key: [UInt8]? = nil) {
        (self.authority, self.certificate, self.key) = (authority, certificate, key)
    }
}

package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]
    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}

package struct HTTPError: Error, Hashable, CustomStringConvertible {
    package var description: String
    /// The connection failed in a way that another try may not meet.
    package var isPassing: Bool

    package init(_ description: String, isPassing: Bool = false) {
        (self.description, self.isPassing) = (description, isPassing)
    }
}
