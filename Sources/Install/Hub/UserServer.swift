import HTTP
import Kube

/// A user's server that runs.
package struct UserServer: Hashable, Sendable, CustomStringConvertible {
    package var user: String
    /// Empty for the user's one server that has no name.
    package var name: String

    package var description: String { "the server \(name.isEmpty ? "" : "\(name) ")of \(user)" }

    /// The pods are labelled with slugs; the names as they are stand in the annotations (KubeSpawner).
    init?(_ pod: JSON) {
        let annotations = pod[["metadata", "annotations"]]
        guard let user = annotations?["hub.jupyter.org/username"]?.string else { return nil }
        (self.user, name) = (user, annotations?["hub.jupyter.org/servername"]?.string ?? "")
    }
}

extension Site {
    /// The users' servers on that node, by user.
    package func servers(on node: String) async throws -> [UserServer] {
        let pods = try await kube().list(
            "/api/v1/namespaces/\(settings.jhubNs)/pods", labelSelector: "component=singleuser-server",
            fieldSelector: "spec.nodeName=\(node)")
        return pods.compactMap { UserServer($0) }.sorted { ($0.user, $0.name) < ($1.user, $1.name) }
    }
}

extension UserServer {
    /// Asks the hub, which saves what it knows of the server and tells the user. 202: it is at it; 404: it has ended.
    func stop(on site: Site) async throws {
        let tail = name.isEmpty ? "server" : "servers/\(name.percentEncoded)"
        let url = try await site.ofHead.nodePortAddress() + "/hub/api/users/\(user.percentEncoded)/\(tail)"
        let response = try await site.http.send(
            HTTPRequest(
                "DELETE", url, headers: ["Authorization": "token \(try await token(of: site))"], limit: .seconds(60)))
        guard [202, 204, 404].contains(response.status) else {
            let words = String(decoding: response.body, as: UTF8.self).trimmed
            throw InstallError.refused("could not stop \(self): the hub answers \(response.status): \(words)")
        }
    }

    private func token(of site: Site) async throws -> String {
        let secret = try await site.kube().get("/api/v1/namespaces/\(site.settings.jhubNs)/secrets/hub")
        let key = "hub.services.\(HubSecrets.service).apiToken"
        guard let bytes = secret?[["data", key]]?.string.flatMap(Base64.decoded) else {
            throw InstallError.refused(
                "the hub has no token for jhub-install: run 'jhub-install' once, which gives it one, and then this again"
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
