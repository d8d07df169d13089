import Hosts
import SystemPackage
import TestSupport
import Testing

/// What holds of connections over SSH alone.
@Suite(.enabled(if: SSHServer.canRun, "needs root")) struct ConnectionTests {
    private let server = SSHServer.shared

    @Test func nobodyListening() async throws {
        var target = try await server.target()
        target.port = try StubServer.freePort()
        let error = await #expect(throws: SSHError.self) { try await SSHTransport.open(target) }
        #expect(error?.kind == .unreachable)
        #expect(error?.description == "127.0.0.1: could not connect to 127.0.0.1:\(target.port): Connection refused")
    }

    @Test func aNameWithoutAnAddress() async throws {
        // Longer than a label may be, so no name server is asked.
        let name = String(repeating: "a", count: 70)
        let error = await #expect(throws: SSHError.self) {
            try await SSHTransport.open(SSHTarget(name, logins: [], hostKey: nil))
        }
        #expect(error?.kind == .unreachable && error?.attempt == "connect to \(name):22")
    }

    @Test func aServerThatSaysNothing() async throws {
        // It waits for the end of an HTTP request, which an SSH client never sends.
        var target = SSHTarget("127.0.0.1", port: try StubServer { _ in StubResponse() }.port, logins: [], hostKey: nil)
        target.limits.login = .seconds(1)
        let error = await #expect(throws: SSHError.self) { try await SSHTransport.open(target) }
        #expect(error?.kind == .unreachable)
        #expect(error?.reason == "it did not speak SSH within 1 s; is this the port of its sshd?")
    }

    /// Her sshd takes two sessions, fewer than we would open.
    @Test(arguments: ["root", "amy"])
    func moreCommandsThanTheHostTakesAtOnceWaitTheirTurn(user: String) async throws {
        let host = try await SSHTransport.open(server.target(user))
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<30 {
                group.addTask { try await host.run(["sh", "-c", "sleep 0.1; echo \(number)"]).output }
            }
            var seen: Set<String> = []
            for try await output in group { seen.insert(output) }
            #expect(seen == Set((0..<30).map { "\($0)\n" }))
        }
        await host.close()
    }

    @Test(arguments: ["root", "bob"])
    func oneFarEndCarriesOutWhatIsAskedOneAfterTheOther(user: String) async throws {
        let sudo = user == "root" ? SSHTarget.Sudo.none : .withPassword(Secret("right horse"))
        let host = try await SSHTransport.open(server.target(user, sudo: sudo))
        let parent: Command = ["sh", "-c", "echo $PPID"]
        let farEnd = try await host.run(parent).output
        #expect(try await host.read("/no/such/file") == nil)
        let path: FilePath = try await server.folder.appending("asked-\(user)")
        try await host.write(File(path, "one"))
        #expect(try await host.read(path) == Array("one".utf8))
        // What it leaves behind prints to nobody.
        let late = """
            { trap '' PIPE; while kill -0 $$; do sleep 0.1; done 2>/dev/null; echo late; echo late >&2; echo >\(path); } &
            """
        #expect(try await host.run(["sh", "-c", "\(late) echo early"]) == Outcome(output: "early\n"))
        while try await host.read(path) == Array("one".utf8) { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await host.run(parent) == Outcome(output: farEnd))
        // One that has read little of its input, and one that there is none of.
        #expect(try await host.run(Command(["true"], input: [UInt8](repeating: 0, count: 1 << 20))) == Outcome())
        await #expect(throws: TransportError.self) { try await host.run(["no-such-program"]) }
        await #expect(throws: TransportError.self) {
            try await host.write(File("/dev/full/file", String(repeating: "x", count: 1 << 20)))
        }
        #expect(try await host.run(["echo", "still here"]) == Outcome(output: "still here\n"))
        await host.close()
    }

    @Test func aCancelledTaskEndsTheCommandThereToo() async throws {
        let host = try await server.root
        let task = Task { try await host.run(["sleep", "60.72"]) }
        while try await LocalTransport().run(["pgrep", "-xf", "sleep 60.72"]).output.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
        task.cancel()
        let error = await #expect(throws: TransportError.self) { try await task.value }
        #expect(error?.reason == "it was cancelled")
        #expect(try await LocalTransport().run(["pgrep", "-xf", "sleep 60.72"]).output == "")
    }

    /// The process that serves a connection of ours.
    private func sshd(_ host: SSHTransport) async throws -> String {
        let parent = try await host.run(["sh", "-c", "ps -o ppid= -p $PPID"])
        return parent.output.filter(\.isNumber)
    }

    @Test func aLostConnectionFailsWhatIsUnderWay() async throws {
        let host = try await SSHTransport.open(server.target())
        let process = try await sshd(host)
        let error = await #expect(throws: TransportError.self) {
            try await host.run(["sh", "-c", "kill -9 \(process); sleep 60"])
        }
        #expect(error?.reason.hasPrefix("the connection was lost") == true)
        await #expect(throws: TransportError.self) { try await host.read("/etc/hostname") }
        await host.close()
    }

    @Test func aConnectionLostWithinAWriteLeavesTheOldFile() async throws {
        let local = LocalTransport()
        let folder = FilePath(
            try await local.run(["mktemp", "-d", "/tmp/jhub-cut.XXXXXX"]).output.filter { !$0.isNewline })
        let host = try await SSHTransport.open(server.target())
        let process = try await sshd(host)
        try await host.write(File(folder.appending("conf"), "old"))
        let writing = Task {
            try await host.write(File(folder.appending("conf"), String(repeating: "x", count: 60 << 20)))
        }
        while try await local.list(folder)?.count == 1 { try await Task.sleep(for: .milliseconds(1)) }
        _ = try await local.run(["kill", "-KILL", process])
        let error = await #expect(throws: TransportError.self) { try await writing.value }
        #expect(error?.reason.hasPrefix("the connection was lost") == true)
        while try await local.list(folder)?.count != 1 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await local.read(folder.appending("conf")) == Array("old".utf8))
        await host.close()
        _ = try await local.run(["rm", "-r", folder.string])
    }

    @Test func aSilentHostIsGivenUp() async throws {
        var target = try await server.target()
        target.limits.silence = .seconds(3)
        let host = try await SSHTransport.open(target)
        let process = try await sshd(host)
        let error = await #expect(throws: TransportError.self) {
            try await host.run(["sh", "-c", "kill -STOP \(process); sleep 60.73"])
        }
        #expect(error?.reason.hasPrefix("it has not answered for ") == true)
        await host.close()
        _ = try await LocalTransport().run(["kill", "-KILL", process])
        // Its command ends with it.
        while !(try await LocalTransport().run(["pgrep", "-xf", "sleep 60.73"]).output.isEmpty) {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func aQuietCommandIsNoSilence() async throws {
        var target = try await server.target()
        target.limits.silence = .seconds(3)
        let host = try await SSHTransport.open(target)
        #expect(try await host.run(["sleep", "5"]) == Outcome())
        await host.close()
    }

    @Test func aConnectionThroughAnotherHost() async throws {
        var target = try await server.target("bob", sudo: .withPassword(Secret("right horse")))
        target.jumps = [try await server.target("amy"), try await server.target()]
        let host = try await SSHTransport.open(target)
        let text = String(repeating: "x", count: 5_000_000)
        let path: FilePath = try await server.folder.appending("through")
        try await host.write(File(path, text))
        #expect(try await host.read(path)?.count == 5_000_000)
        await host.close()
    }

    @Test func theWayThereIsNamedWhereItIsClosed() async throws {
        var target = try await server.target()
        target.jumps = [try await server.target("amy", [])]
        let error = await #expect(throws: SSHError.self) { try await SSHTransport.open(target, name: "node7") }
        #expect(error?.host == "127.0.0.1, on the way to node7")
        #expect(error?.kind == .loginRefused)
    }
}
