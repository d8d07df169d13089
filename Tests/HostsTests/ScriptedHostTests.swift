import Hosts
import SystemPackage
import TestSupport
import Testing

@Suite struct ScriptedHostTests {
    @Test func refusesWhatItHasNoAnswerFor() async {
        await #expect(throws: TransportError.self) { try await ScriptedHost().run(["reboot"]) }
    }

    @Test func aCommandMayChangeLaterAnswers() async throws {
        let ask: Command = ["systemctl", "is-active", "x"]
        let start: Command = ["systemctl", "start", "x"]
        let scripted = ScriptedHost([ask: Outcome(status: 3, output: "inactive\n")])
        scripted.answer(start) { host in host.answer(ask, output: "active\n") }
        #expect(try await scripted.host.learn(UnitState("x")) == .inactive)
        _ = try await scripted.run(start)
        #expect(try await scripted.host.learn(UnitState("x")) == .active)
        #expect(scripted.ran == [ask, start, ask])
    }

    @Test func keepsFilesAndRecordsChangesOnly() async throws {
        let scripted = ScriptedHost(files: ["/etc/hosts": "127.0.0.1 localhost\n"])
        let file = File("/etc/new/x.conf", "x", permissions: [.ownerReadWrite])
        try await scripted.write(file)
        #expect(scripted.writes == [file] && scripted["/etc/new/x.conf"] == "x")
        #expect(try await scripted.list("/etc") == ["hosts", "new"])
        #expect(try await scripted.state(of: "/etc/new")?.kind == .directory)
        await #expect(throws: TransportError.self) { try await scripted.remove("/etc/new") }
        try await scripted.remove("/etc/new/x.conf")
        #expect(try await scripted.read("/etc/new/x.conf") == nil && scripted.removed == ["/etc/new/x.conf"])
    }

    @Test func keepsWhatWasFed() async throws {
        let load: Command = ["ctr", "images", "import", "-"]
        let scripted = ScriptedHost([load: Outcome()])
        _ = try await scripted.run(load) { sink in
            try await sink.write([1, 2])
            try await sink.write([3])
        }
        #expect(scripted.fed(load) == [1, 2, 3])
    }
}
