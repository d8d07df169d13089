import Crypto
import Hosts
import Kube
import SystemPackage

import struct Foundation.Data

/// A machine becomes a worker of the head's cluster.
///
/// The token is made when it is used, lasts ten minutes at most, and is struck out afterwards, however the join ended. It
/// is in no plan, record or log; on the worker's command line it is for the seconds of the join, since MicroK8s takes
/// it in no other way.
package struct Join: Hashable, Sendable {
    /// The name that the node will have.
    package var node: String
    /// The head's address: a join by name misconfigures the cluster (canonical/microk8s#4396).
    package var head: String

    private static let agentPort = 25000

    /// In seconds.
    private static let tokenLife = 600
    private static let limit = Duration.seconds(300)
    /// A kubelet registers a few seconds after its start, on slow disks a minute.
    private static let patience = Duration.seconds(180)
    /// How often, twice a second, the head is looked at after a join broke off: the cluster agent may go on with it when
    /// the worker's connection is gone, for a second or two, on a busy head for several.
    private static let looks = 30

    /// Joins, waits until the cluster lists the node, and takes everything back where that fails.
    func carryOut(on site: Site) async throws {
        let token = try await makeToken(on: site.head)
        do {
            let url = "\(head):\(Self.agentPort)/\(token)/\(try await fingerprint(on: site.head))"
            var join = Lock.shared(at: NodeFolder.path, with: [MicroK8s.program, "join", url, "--worker"])
            join.limit = Self.limit
            let outcome = try await site.node.transport.run(join)
            guard outcome.status == 0 else {
                throw InstallError.refused("\(node) could not join the cluster: \(Self.advice(outcome))")
            }
            try await waitUntilListed(on: site)
        } catch {
            let left = await undo(on: site, token: token, isBrokenOff: error is TransportError)
            let reason = "\(error)".replacing(token, with: Secret.mask)
            throw InstallError.refused(([reason] + left).joined(separator: "; "))
        }
        try await strikeOut(token, on: site.head)
    }

    private func makeToken(on host: Host) async throws -> String {
        let command: Command = [
            MicroK8s.program, "add-node", "--token-ttl", "\(Self.tokenLife)", "--format", "json",
        ]
        let outcome = try await host.transport.run(command).orThrow(command, on: host.name)
        // "TOKEN/CHECK": the check is the first 12 digits of the fingerprint, which we have whole.
        guard let token = try JSON(parsing: outcome.output)["token"]?.string?.split(separator: "/").first else {
            throw FactError("'\(command)' answered no token")
        }
        return String(token)
    }

    /// Of the certificate that the cluster agent shows, whole. It reaches the worker over the pinned connection, and the
    /// joining side compares all of it with what it sees (join.py compares as many digits as it is given).
    private func fingerprint(on host: Host) async throws -> String {
        let path = MicroK8s.data.pushing("certs/server.crt")
        let lines = (try await host.text(of: path) ?? "").lines.drop { !$0.hasPrefix("-----BEGIN") }.dropFirst()
        let text = lines.prefix { !$0.hasPrefix("-----END") }.joined()
        guard let bytes = Data(base64Encoded: text), !bytes.isEmpty else {
            throw FactError("\(path) on \(host.name) holds no certificate")
        }
        return SHA256.hash(data: bytes).hexadecimal
    }

    private func waitUntilListed(on site: Site) async throws {
        let kube = try await site.kube()
        let deadline = ContinuousClock.now + Self.patience
        // The very first join moves the datastore, and the API server is away for some seconds.
        while (try? await kube.get("/api/v1/nodes/\(node)")) == nil {
            guard ContinuousClock.now < deadline else {
                throw InstallError.refused(
                    "\(node) has joined, and did not appear within \(Self.patience.components.seconds) s")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// No token, no ghost in the cluster, no half-joined host. What could not be undone comes back, a line each.
    private func undo(on site: Site, token: String, isBrokenOff: Bool) async -> [String] {
        var left: [String] = []
        func attempt(_ what: String, _ work: () async throws -> Void) async {
            do { try await work() } catch { left.append("\(what): \("\(error)".replacing(token, with: Secret.mask))") }
        }
        await attempt("the token is still valid for some minutes") {
            try await strikeOut(token, on: site.head, looks: isBrokenOff ? Self.looks : 1)
        }
        await attempt("\(node) is left half joined; run add-node again when it can be reached") {
            try await MicroK8s().leave(on: site.node)
        }
        await attempt("the cluster still lists \(node)") {
            _ = try await site.kube().delete("/api/v1/nodes/\(node)")
        }
        return left
    }

    /// Takes the token out of the head's lists, together with those that are out of date. After the first of the looks
    /// it waits for what a join that is still answered adds there.
    private func strikeOut(_ token: String, on host: Host, looks: Int = 1) async throws {
        _ = try await strikeOut(token, of: "cluster-tokens.txt", on: host)
        // Nobody can begin a join with it any more. Each of these stands for a certificate that the worker may have
        // signed: "TOKEN-kubelet", "TOKEN-proxy".
        var struck = try await strikeOut(token, of: "certs-request-tokens.txt", on: host)
        for _ in 1..<looks where struck < 2 {
            try await Task.sleep(for: .milliseconds(500))
            struck += try await strikeOut(token, of: "certs-request-tokens.txt", on: host)
        }
    }

    /// How many lines of the token's there were.
    private func strikeOut(_ token: String, of name: String, on host: Host) async throws -> Int {
        let path = MicroK8s.data.pushing("credentials").appending(name)
        guard let text = try await host.text(of: path), let state = try await host.transport.state(of: path) else {
            return 0
        }
        let now = try await host.now()
        let kept = text.lines.filter { line in
            let parts = line.split(separator: "|")
            let isOver = parts.count == 2 && Int(parts[1].trimmed).map { $0 < now } ?? false
            return !line.hasPrefix(token) && !isOver
        }
        if kept != text.lines {
            let file = File(
                path, kept.map { $0 + "\n" }.joined(), permissions: state.permissions, owner: state.owner,
                isSecret: true)
            try await host.transport.write(file)
        }
        return text.lines.count { $0.hasPrefix(token) }
    }

    /// What the joining side says, with what is behind it where that is known.
    private static func advice(_ outcome: Outcome) -> String {
        let words = outcome.lastWords
        if words.contains("Invalid token") {
            return "\(words); the token was not known to the cluster agent: is the head's clock right?"
        }
        if words.contains("Could not verify the identity") {
            return "\(words); another machine answers at the head's address: look for whom that address belongs to"
        }
        return words
    }
}

extension MicroK8s {
    /// Takes the node out of the cluster that it has joined, or began to join.
    func leave(on host: Host) async throws {
        let locks = Self.data.pushing("var/lock")
        if try await host.has(locks.appending("clustered.lock")) {
            var leave = Lock.shared(at: NodeFolder.path, with: [Self.program, "leave"])
            leave.limit = .seconds(300)
            try await host.transport.run(leave).orThrow(leave, on: host.name)
        }
        // A join that dies leaves it behind.
        try await host.transport.remove(locks.appending("join-in-progress"))
    }
}
