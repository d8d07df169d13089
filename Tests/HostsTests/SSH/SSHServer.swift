import Glibc
import Hosts
import SystemPackage
import TestSupport
import Testing

/// The sshd of `serve`, which ends with this process at the latest.
actor SSHServer {
    static let shared = SSHServer()

    /// It needs root. Without, only a run under CI=true tries, and fails.
    static let canRun = geteuid() == 0 || getenv("CI") != nil

    private var starting: Task<(FilePath, UInt16), any Error>?
    private var connections: [String: Task<SSHTransport, any Error>] = [:]

    var folder: FilePath { get async throws { try await start().0 } }
    var port: UInt16 { get async throws { try await start().1 } }

    /// Connections that many tests share.
    var root: SSHTransport { get async throws { try await connection("root", .none) } }
    var bob: SSHTransport { get async throws { try await connection("bob", .withPassword(Secret("right horse"))) } }

    /// Where `user` gets in with the key, unless something else is said.
    func target(
        _ user: String = "root", _ logins: [SSHTarget.Login]? = nil, sudo: SSHTarget.Sudo = .none
    ) async throws -> SSHTarget {
        let (folder, port) = try await start()
        let key = SSHTarget.Login.key(folder.appending("ed25519"), passphrase: nil)
        return SSHTarget(
            "127.0.0.1", port: port, user: user, logins: logins ?? [key], hostKey: try await hostKey("ed25519"),
            sudo: sudo)
    }

    /// As ssh-keygen prints it.
    func hostKey(_ type: String) async throws -> Fingerprint {
        let file = try await folder.appending("host_\(type).pub")
        let words = try await LocalTransport().run(["ssh-keygen", "-lf", file.string]).output.split(separator: " ")
        return try #require(Fingerprint(String(words[1])))
    }

    private func connection(_ user: String, _ sudo: SSHTarget.Sudo) async throws -> SSHTransport {
        let task = connections[user] ?? Task { try await SSHTransport.open(target(user, sudo: sudo)) }
        connections[user] = task
        return try await task.value
    }

    private func start() async throws -> (FilePath, UInt16) {
        let task = starting ?? Task { try await Self.launch() }
        starting = task
        return try await task.value
    }

    private static func launch() async throws -> (FilePath, UInt16) {
        let made = try await LocalTransport().run(["mktemp", "-d", "/tmp/jhub-sshd.XXXXXX"])
        let folder = FilePath(made.output.filter { !$0.isNewline })
        _ = try await LocalTransport().run(["chmod", "755", folder.string])
        let port = try StubServer.freePort()
        let program = FilePath(#filePath).removingLastComponent().appending("serve")
        let command = Command([program.string, folder.string, "\(port)"], limit: .seconds(7200))
        let serving = Task {
            // Its input ends when this process does, however that comes.
            try await LocalTransport().run(command) { _ in try await Task.sleep(for: .seconds(7200)) }
        }
        for _ in 0..<600 {
            if try await LocalTransport().state(of: folder.appending("ready")) != nil { return (folder, port) }
            try await Task.sleep(for: .milliseconds(50))
        }
        serving.cancel()
        Issue.record("no sshd within 30 s: \(await serving.result)")
        throw CancellationError()
    }
}
