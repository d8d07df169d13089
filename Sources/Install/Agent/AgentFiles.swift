import Hosts
import Kube
import SystemPackage

import class FoundationEssentials.FileManager

/// What the agent needs on its node.
struct AgentFiles {
    static let unit = "jhub-agent.service"
    static let namespace = "jhub-agent"
    static let unitFile: FilePath = "/etc/systemd/system/jhub-agent.service"
    static let startsAtBoot: FilePath = "/etc/systemd/system/multi-user.target.wants/jhub-agent.service"
    static let all: [FilePath] = [program, unitFile, flags, token, cluster]

    /// What systemd makes for it. The first holds samples, the second the verdicts for who has no network.
    static let samples: FilePath = "/var/lib/jhub-agent"
    static let health: FilePath = "/run/jhub"

    static let program: FilePath = "/usr/local/bin/jhub-agent"
    private static let folder: FilePath = "/etc/jhub/agent"
    private static let flags = folder.appending("flags")
    private static let token = folder.appending("token")
    private static let cluster = folder.appending("cluster.json")

    /// As whom it speaks to the API server.
    struct Access {
        var server: String
        var node: String
        var authority: String
        var token: String
    }

    var access: Access
    /// Of the node, on which it answers beside loopback.
    var address: String

    /// What is not there, or not as it should be; the program last, since it is the longest.
    func missing(on site: Site) async throws -> [Change] {
        let node = site.node
        let unit = try Self.contents(of: site.root.appending("templates").appending("agent").appending(Self.unit))
        var changes = try await node.wants(
            File(Self.unitFile, String(decoding: unit, as: UTF8.self)), because: "systemd must know the agent")
        changes += try await node.wants(
            File(Self.flags, "FLAGS=\(flags(site).joined(separator: " "))\n"), because: "it must know its node")
        let object: JSON = [
            "server": .string(access.server), "node": .string(access.node), "authority": .string(access.authority),
            "token": .string(access.token),
        ]
        changes += try await node.wants(
            File(Self.cluster, object.text() + "\n", permissions: .ownerReadWrite, isSecret: true),
            because: "it labels its node")
        changes += try await token(on: site)
        return changes + (try await program(on: site))
    }

    private func flags(_ site: Site) -> [String] {
        let port = site.settings.agentPort
        return [
            "--listen", "\(address):\(port)", "--listen", "127.0.0.1:\(port)", "--token-file", Self.token.string,
            "--cluster", Self.cluster.string, "--samples", Self.samples.appending("samples").string,
            "--hub-namespace", site.settings.jhubNs,
        ]
    }

    /// Made once. All nodes have the head's, so that one who may ask them need not know many.
    private func token(on site: Site) async throws -> [Change] {
        var standing = try await site.head.text(of: Self.token)
        if standing == nil { standing = try await site.node.text(of: Self.token) }
        let file = File(
            Self.token, standing ?? Random.hexadecimal(bytes: 32) + "\n", permissions: .ownerReadWrite, isSecret: true)
        return try await site.node.wants(file, because: "samples and inventory are not for everybody")
    }

    /// Compared by its hash: it is too long to be fetched for every look, and to be held for each of many nodes.
    private func program(on site: Site) async throws -> [Change] {
        let file = site.root.appending("bin").appending("jhub-agent")
        let permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
        guard let ours = try await site.head.transport.state(of: file) else { throw Self.lacks(file) }
        if let state = try await site.node.transport.state(of: Self.program), state.kind == .file,
            state.size == ours.size, state.permissions == permissions, state.owner == .root
        {
            async let wanted = Self.hash(of: file, on: site.head)
            let found = try await Self.hash(of: Self.program, on: site.node)
            if try await wanted == found { return [] }
        }
        let change = Change.Action.send(file, to: Self.program, permissions)
        return [Change(change, because: "the agent of this release is not there")]
    }

    private static func hash(of path: FilePath, on host: Host) async throws -> Substring? {
        let command: Command = ["sha256sum", "--", path.string]
        return try await host.transport.run(command).orThrow(command, on: host.name).output.split(separator: " ").first
    }

    private static func contents(of path: FilePath) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path.string) else {
            throw lacks(path)
        }
        return Array(data)
    }

    private static func lacks(_ path: FilePath) -> InstallError {
        .refused("there is no \(path): this copy of jhub-install is not whole")
    }
}
