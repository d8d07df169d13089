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

    @Test func itIsFreeOnceItsHolderIsKilled() async throws {
        let file = try folder.put("run/install.lock")
        let holder = Task {
            try await LocalTransport().run([
                "timeout", "--signal=KILL", "0.7", "flock", "--no-fork", file.string, "sleep", "60",
            ])
        }
        var (refusals, isFree) = (0, false)
        for _ in 0..<500 where !isFree {
            do {
                let lock = try Lock(at: path, purpose: "test")
                // Before the holder had it, or after it was killed.
                withExtendedLifetime(lock) { isFree = refusals > 0 }
            } catch let error as LockError {
                #expect(error.description.hasSuffix("it has not named itself yet") || error.holder.contains("test"))
                refusals += 1
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(isFree)
        _ = try await holder.value
    }
}
