import GPUs
package import NIOCore
import NIOHTTP1

import struct FoundationEssentials.Date

/// How to reach the API server, and as whom: a file that the installer writes. Its token may change this one node
/// object's labels and conditions, and do nothing else.
package struct ClusterAccess: Codable, Sendable {
    package var server: String
    package var node: String
    /// In PEM.
    package var authority: String
    package var token: String
}

/// This machine as a node object of the cluster.
package struct ClusterNode: Sendable {
    /// The mark is set anew after so long, though nothing changed: somebody may have taken it off.
    package static let refresh = Duration.seconds(300)
    private static let patience = Duration.seconds(10)

    private let access: ClusterAccess
    private let host: String
    private let port: Int
    private let client: WebClient

    package init(_ access: ClusterAccess, group: any EventLoopGroup) throws(WebError) {
        guard access.server.hasPrefix("https://"), let address = ListenAddress(String(access.server.dropFirst(8)))
        else {
            throw WebError("'\(access.server)' is no address of an API server: https://HOST:PORT")
        }
        (self.access, host, port) = (access, address.host, address.port)
        client = try WebClient(group: group, authority: Array(access.authority.utf8))
    }

    /// - Parameter changed: when the condition last became what it is.
    func set(_ mark: NodeMark, changed: Date, now: Date = Date()) async throws {
        struct Labels: Encodable {
            struct Metadata: Encodable { var labels: [String: String?] }
            var metadata: Metadata
        }
        try await patch("", "application/merge-patch+json", Labels(metadata: .init(labels: mark.labels)))
        guard let lost = mark.lost else { return }
        struct Status: Encodable {
            struct Condition: Encodable {
                var type, status, reason, message, lastHeartbeatTime, lastTransitionTime: String
            }
            struct Conditions: Encodable { var conditions: [Condition] }
            var status: Conditions
        }
        let condition = Status.Condition(
            type: NodeMark.condition, status: lost.status.rawValue, reason: lost.reason, message: lost.message,
            lastHeartbeatTime: now.formatted(.iso8601), lastTransitionTime: changed.formatted(.iso8601))
        // This kind of patch puts a condition in the place of the one of its type, and leaves the others alone.
        try await patch(
            "/status", "application/strategic-merge-patch+json", Status(status: .init(conditions: [condition])))
    }

    private func patch(_ subresource: String, _ type: String, _ body: some Encodable) async throws {
        var call = WebClient.Call(host: host, port: port, path: "/api/v1/nodes/\(access.node)\(subresource)")
        (call.method, call.type, call.token) = (.PATCH, type, access.token)
        call.body = try JSONText.bytes(of: body)
        let answer = try await client.send(call, within: Self.patience)
        guard answer.status == 200 else {
            throw WebError("PATCH \(call.path): the API server says \(answer.status): \(Self.message(of: answer))")
        }
    }

    /// The server's own words.
    private static func message(of answer: WebAnswer) -> String {
        struct Status: Decodable { var message: String? }
        let status: Status? = try? JSONText.value(of: answer.body)
        return status?.message ?? String(decoding: answer.body.prefix(200), as: UTF8.self)
    }
}
