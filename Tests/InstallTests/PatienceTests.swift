import FoundationEssentials
import SystemPackage
import Testing

@testable import Install

@Suite struct PatienceTests {
    /// Waits for ever.
    private struct Idle: Stage {
        let name = "idle"
        let title = "Stand idle"
        var patience: Duration
        func plan(for site: Site) async throws -> Plan { .waits(for: "nothing in particular") }
    }

    @Test(arguments: [
        (Duration.seconds(600), Duration?.some(.milliseconds(20)), Duration.milliseconds(20)),
        (.milliseconds(20), nil, .milliseconds(20)),
        // A stage that does not wait is not made to.
        (.zero, .seconds(600), .zero),
    ])
    func aStageWaitsAsLongAsItIsTold(own: Duration, told: Duration?, expected: Duration) async throws {
        let machine = try PreflightMachine()
        defer { machine.remove() }
        let record = Record(in: machine.bundle.appending("record"), run: "test")
        let installer = Installer(
            stages: [Idle(patience: own)], record: record, pulse: .milliseconds(5), patience: told)
        let expected = InstallError.waited(stage: "Stand idle", patience: expected, need: "nothing in particular")
        await #expect(throws: expected) { try await installer.run(on: machine.site) }
        #expect(!FileManager.default.fileExists(atPath: record.folder.string))
    }
}
