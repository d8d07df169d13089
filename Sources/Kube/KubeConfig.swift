package import HTTP

import struct FoundationEssentials.Data

/// How to reach an API server, and as whom.
package struct KubeConfig: Hashable, Sendable {
    package var server: String
    package var trust: Trust
    package var token: BearerToken?

    package init(server: String, trust: Trust = Trust(), token: BearerToken? = nil) {
        (self.server, self.trust, self.token) = (server, trust, token)
    }

    /// Reads the current context of a kubeconfig. `read` fetches the files that it names, nil where there is none.
    package init(yaml: String, read: (String) throws -> [UInt8]? = { _ in nil }) throws {
        let document = try Self.document(yaml)
        guard let name = document["current-context"]?.string, !name.isEmpty else {
            throw KubeError("the kubeconfig has no current-context")
        }
        let context = try Self.entry("context", name, in: document)
        guard let clusterName = context["cluster"]?.string, let userName = context["user"]?.string else {
            throw KubeError("the kubeconfig's context \(name) names no cluster or no user")
        }
        let cluster = try Self.entry("cluster", clusterName, in: document)
        let user = try Self.entry("user", userName, in: document)
        guard let server = cluster["server"]?.string, !server.isEmpty else {
            throw KubeError("the kubeconfig's cluster \(clusterName) has no server")
        }
        for key in ["insecure-skip-tls-verify", "tls-server-name", "proxy-url"] {
            let value = cluster[key]
            guard value == nil || value == .bool(false) || value == .string("") else {
                throw KubeError("the kubeconfig's cluster \(clusterName) has \(key), which is not supported")
            }
        }
        for key in ["exec", "auth-provider", "username"] where user[key] != nil {
            throw KubeError("the kubeconfig's user \(userName) logs in by \(key), which is not supported")
        }
        self.server = server.last == "/" ? String(server.dropLast()) : server
        trust = Trust(
            authority: try Self.bytes("certificate-authority", of: cluster, read),
            certificate: try Self.bytes("client-certificate", of: user, read),
            key: try Self.bytes("client-key", of: user, read))
        if let token = user["token"]?.string, !token.isEmpty {
            self.token = BearerToken(token)
        } else if let path = user["tokenFile"]?.string {
            guard let bytes = try read(path) else {
                throw KubeError("the kubeconfig names \(path), which is not there")
            }
            self.token = BearerToken(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
        }
    }

    /// As `init`, where the files that it names have to be fetched from a host.
    package static func load(yaml: String, read: (String) async throws -> [UInt8]?) async throws -> KubeConfig {
        let keys = ["certificate-authority", "client-certificate", "client-key", "tokenFile"]
        let document = try Self.document(yaml)
        var files: [String: [UInt8]] = [:]
        for kind in ["cluster", "user"] {
            for entry in document["\(kind)s"]?.array ?? [] {
                for path in keys.compactMap({ entry[kind]?[$0]?.string }) { files[path] = try await read(path) }
            }
        }
        return try KubeConfig(yaml: yaml) { files[$0] }
    }

    private static func document(_ yaml: String) throws(KubeError) -> JSON {
        do { return try JSON(yaml: yaml) } catch { throw KubeError("the kubeconfig cannot be read: \(error)") }
    }

    private static func entry(_ kind: String, _ name: String, in document: JSON) throws(KubeError) -> JSON {
        let entries = document["\(kind)s"]?.array ?? []
        guard let entry = entries.first(where: { $0["name"]?.string == name })?[kind] else {
            throw KubeError("the kubeconfig has no \(kind) \(name)")
        }
        return entry
    }

    /// What stands in the config itself goes before the file that it names, as kubectl has it.
    private static func bytes(
        _ key: String, of entry: JSON, _ read: (String) throws -> [UInt8]?
    ) throws -> [UInt8]? {
        if let text = entry["\(key)-data"]?.string, !text.isEmpty {
            guard let data = Data(base64Encoded: text) else {
                throw KubeError("the kubeconfig's \(key)-data is no base64")
            }
            return Array(data)
        }
        guard let path = entry[key]?.string, !path.isEmpty else { return nil }
        guard let bytes = try read(path) else {
            throw KubeError("the kubeconfig names \(path), which is not there")
        }
        return bytes
    }
}

/// What proves who we are; no plan, error or log shows it.
package struct BearerToken: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package var value: String
    package init(_ value: String) { self.value = value }
    package var description: String { "***" }
    package var debugDescription: String { "***" }
}
