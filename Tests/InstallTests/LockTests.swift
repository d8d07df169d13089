import Hosts
import SystemPackage
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

    private func isFree() -> Bool { (try? Lock(at: path, purpose: "test")) != nil }

    @Test func aHolderWithoutANameIsOneAllTheSame() {
        #expect(LockError(holder: "").description.hasSuffix(": it has not named itself yet"))
    }
}
