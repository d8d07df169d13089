import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct LockTests {
    let folder: TestFolder
    let path: FilePath

    init() throws {
        folder = try TestFolder()
        path = folder.path.pushing("run/install.lock")
    }

    @Test func aSecondHolderIsRefusedAndToldOfTheFirst() throws {
        let lock = try Lock(at: path, purpose: "jhub-install apply")
        defer { withExtendedLifetime(lock) {} }
        let error = try #require(throws: LockError.self) { try Lock(at: path, purpose: "another") }
        #expect(error.holder.hasPrefix("pid "))
        #expect(error.holder.contains("(jhub-install apply), since 20"))
        #expect(error.description.hasPrefix("another jhub-install works on this machine: pid "))
    }

    @Test func itIsFreeOnceItsHolderIsDone() throws {
        for purpose in ["a first with a long, long name", "second"] {
            let lock = try Lock(at: path, purpose: purpose)
            withExtendedLifetime(lock) {}
        }
        #expect(try folder.text("run/install.lock").contains("(second)"))
        #expect(try !folder.text("run/install.lock").contains("long"))
    }

    @Test(.timeLimit(.minutes(1))) func itIsFreeOnceItsHolderIsKilled() async throws {
        let file = try folder.put("run/install.lock")
        let holder = Task {
            try await LocalTransport().run(["flock", "--no-fork", file.string, "sleep", "60"])
        }
        while isFree() { try await Task.sleep(for: .milliseconds(20)) }
        holder.cancel()
        while !isFree() { try await Task.sleep(for: .milliseconds(20)) }
        await #expect(throws: TransportError.self) { try await holder.value }
    }

    @Test(.timeLimit(.minutes(1))) func whatAKilledHolderStartedHoldsItOn() async throws {
        var lock: Lock? = try Lock(at: path, purpose: "jhub-install apply")
        let started = folder.path.pushing("started")
        let command = try #require(lock).shared(with: ["sh", "-c", "echo >\"$0\"; sleep 60", started.string])
        let child = Task { try await LocalTransport().run(command) }
        while try await LocalTransport().state(of: started) == nil { try await Task.sleep(for: .milliseconds(20)) }
        // Closed it is without our doing too, where we are killed.
        lock = nil
        let error = try #require(throws: LockError.self) { try Lock(at: path, purpose: "another") }
        #expect(
            error.description.hasPrefix("a jhub-install was killed, \(error.holder); what it had started still works"))
        #expect(
            error.description.contains(/pid \d+ \(sh -c echo/) && error.description.contains(/pid \d+ \(sleep 60\)/))
        child.cancel()
        while !isFree() { try await Task.sleep(for: .milliseconds(20)) }
        await #expect(throws: TransportError.self) { try await child.value }
    }

    @Test func theInstallersCommandsShareIt() async throws {
        let machine = try TestMachine()
        let lock = try Lock(at: path, purpose: "test")
        let shared = lock.shared(with: ["systemctl", "reload", "nginx"])
        #expect(shared.argv.suffix(3) == ["systemctl", "reload", "nginx"])
        machine.host.answer(shared, Outcome(status: 7))
        let installer = Installer(stages: [OpenAccess()], record: machine.record, lock: lock)
        let change = Change(.run(["systemctl", "reload", "nginx"]), because: "test")
        // Told as it was planned, not as it was run.
        let error = await #expect(throws: InstallError.self) {
            try await installer.make(change, of: OpenAccess(), on: machine.site)
        }
        #expect(error == .failed(["systemctl", "reload", "nginx"], on: "head", Outcome(status: 7)))
    }

    private func isFree() -> Bool { (try? Lock(at: path, purpose: "test")) != nil }

    @Test func aHolderWithoutANameIsOneAllTheSame() {
        #expect(LockError(holder: "").description.hasSuffix(": it has not named itself yet"))
    }
}
