import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Hosts

extension SSHTransport {
    fileprivate var received: Int { wire.received }
}

@Suite(.enabled(if: SSHServer.canRun, "needs root")) struct ForwardTests {
    private let server = SSHServer.shared

    private func echo(
        _ megabytes: Int, of source: String = "/dev/zero", through socket: FilePath
    ) async throws -> Bool {
        let line =
            "head -c \(megabytes << 20) \(source) | tr '\\0' x | tee >(cksum >&2) | socat -t 30 - UNIX-CONNECT:\(socket) | cksum"
        let outcome = try await LocalTransport().run(["bash", "-c", line + "; wait"])
        return outcome.output == outcome.errors && outcome.output.contains(" \(megabytes << 20)")
    }

    /// As whoever logs in, and as root by sudo.
    @Test(arguments: [("root", SSHTarget.Sudo.none), ("bob", .withPassword(Secret("right horse")))])
    func bytesGoBothWaysAsTheyAre(user: String, sudo: SSHTarget.Sudo) async throws {
        let host = try await SSHTransport.open(server.target(user, sudo: sudo))
        // Both ways are more than any window or buffer holds.
        #expect(try await echo(20, through: host.forward(server.folder.appending("echo"))))
        await host.close()
    }

    /// Whether it becomes small, through many changes of keys, or not.
    @Test(arguments: [("/dev/zero", 0..<1 << 20), ("/dev/urandom", 20 << 20..<21 << 20)])
    func compressedBytesArriveAsTheyAre(source: String, size: Range<Int>) async throws {
        var target = try await server.target()
        target.compresses = true
        let host = try await SSHTransport.open(target)
        #expect(try await echo(20, of: source, through: host.forward(server.folder.appending("echo"))))
        #expect(size.contains(await host.received))
        await host.close()
    }

    @Test func aHostThatForwardsNothingRelays() async throws {
        let host = try await SSHTransport.open(server.target("kim"))
        #expect(try await echo(4, through: host.forward(server.folder.appending("echo"))))
        await host.close()
    }

    @Test func connectionsGoSideBySideWithCommands() async throws {
        let host = try await SSHTransport.open(server.target())
        let socket = try await host.forward(server.folder.appending("echo"))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<3 { group.addTask { try await echo(8, through: socket) } }
            for _ in 0..<10 { group.addTask { try await host.run(["echo", "x"]).output == "x\n" } }
            for try await isRight in group { #expect(isRight) }
        }
        await host.close()
    }

    @Test func onlyWeMayOpenItAndItGoesWithTheConnection() async throws {
        let host = try await SSHTransport.open(server.target())
        let socket = try await host.forward(server.folder.appending("echo"))
        let local = LocalTransport()
        #expect(try await local.state(of: socket)?.permissions.rawValue == 0o600)
        #expect(try await local.state(of: socket.removingLastComponent())?.permissions.rawValue == 0o700)
        await host.close()
        #expect(try await local.state(of: socket.removingLastComponent()) == nil)
    }

    @Test func aSocketThatIsNotThereSaysSoAtOnce() async throws {
        let host = try await server.root
        let error = await #expect(throws: TransportError.self) { try await host.forward("/no/such.sock") }
        #expect(error?.description == "127.0.0.1: could not reach its /no/such.sock: No such file or directory")
    }

    @Test func aPortIsTriedFromThere() async throws {
        let host = try await server.bob
        try await host.dial("127.0.0.1", server.port)
        let closed = try StubServer.freePort()
        let error = await #expect(throws: TransportError.self) { try await host.dial("127.0.0.1", closed) }
        #expect(error?.reason == "Connection refused")
    }
}
