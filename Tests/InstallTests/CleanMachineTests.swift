import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

/// Makes on a worker what a test says, with a record; then cleans up.
@Suite struct CleanMachineTests {
    let cluster: TestCluster
    private var worker: ScriptedHost { cluster.worker }
    private var record: Record { cluster.head.record }

    init() throws { cluster = try TestCluster() }

    private struct Changes: Stage {
        let name = "test"
        let title = "A test's own"
        var changes: [Change]
        func plan(for site: Site) async throws -> Plan { .of(changes) }
    }

    private func make(_ actions: Change.Action...) async throws {
        let stage = Changes(changes: actions.map { Change($0, because: "the test") })
        let installer = Installer(stages: [stage], record: record)
        for change in stage.changes { try await installer.make(change, of: stage, on: cluster.site) }
    }

    @discardableResult
    private func clean(keepsData: Bool = true) async throws -> Int {
        let stage = CleanMachine(try record.traces(on: "worker1"), keepsData: keepsData, record: record)
        var installer = Installer(stages: [stage], record: record, pulse: .milliseconds(5))
        installer.rest = .milliseconds(5)
        return try await installer.run(on: cluster.site)
    }

    @Test func whatWeWroteGoesAndWhatStoodThereComesBack() async throws {
        worker["/etc/old"] = "before"
        try await make(.write(File("/etc/old", "ours")), .write(File("/etc/new/deep/file", "ours")))
        // Written twice: what stood before the first time is what counts.
        try await make(.write(File("/etc/old", "ours, again")))
        try await clean()
        #expect(worker["/etc/old"] == "before")
        #expect(worker["/etc/new/deep/file"] == nil)
        #expect(worker.removed == ["/etc/new/deep/file", "/etc/new/deep", "/etc/new"])
    }

    @Test func whatSomebodyElseChangedSinceIsLeft() async throws {
        try await make(.write(File("/etc/a", "ours")))
        worker["/etc/a"] = "theirs"
        #expect(try await clean() == 0)
        #expect(worker["/etc/a"] == "theirs")
    }

    @Test func ofAFileOfOthersOnlyOurLinesGo() async throws {
        worker["/etc/hosts"] = "127.0.0.1 localhost\n"
        try await make(.write(File("/etc/hosts", Block(["10.0.0.1 a"]).put(into: "127.0.0.1 localhost\n"))))
        worker["/etc/hosts"]? += "10.0.0.9 printer\n"
        try await clean()
        #expect(worker["/etc/hosts"] == "127.0.0.1 localhost\n10.0.0.9 printer\n")
    }

    @Test func aFolderWithSomethingInItStays() async throws {
        worker.place(.directory(.ownerReadWriteExecute, .root), at: "/srv")
        try await make(.make(Directory("/srv/jhub/storage", permissions: .ownerReadWriteExecute)))
        worker["/srv/jhub/storage/alice"] = "hers"
        #expect(try await clean() == 0)
        worker["/srv/jhub/storage/alice"] = nil
        try await clean()
        #expect(worker.removed == ["/srv/jhub/storage", "/srv/jhub"])
    }

    @Test func aFolderThatStoodBeforeStays() async throws {
        worker.place(.directory(.ownerReadWriteExecute, .root), at: "/srv")
        try await make(.make(Directory("/srv", permissions: .ownerReadWriteExecute)))
        #expect(try await clean() == 0)
    }

    @Test func commandsAreTakenBackTheLastFirst() async throws {
        worker["/proc/sys/vm/swappiness"] = "10\n"
        worker["/usr/bin/snap"] = "\u{7f}ELF"
        let list: Command = ["snap", "list"]
        let snaps = { @Sendable (names: [String]) in
            "Name Version Rev Tracking Publisher Notes\n" + names.map { "\($0) 1 1 - canonical base\n" }.joined()
        }
        worker.answer(["sysctl", "-q", "-w", "vm.swappiness=10"], Outcome())
        worker.answer(["sysctl", "-q", "-w", "vm.swappiness=5"], Outcome())
        worker.answer(["snap", "install", "core20.snap"], Outcome())
        worker.answer(list, output: snaps(["core20"]))
        try await make(
            .run(["sysctl", "-q", "-w", "vm.swappiness=10"], undo: ["sysctl", "-q", "-w", "vm.swappiness=60"]),
            .run(["snap", "install", "core20.snap"], undo: ["snap", "remove", "--purge", "core20"]),
            // Set twice: what stood before the first time is what counts.
            .run(["sysctl", "-q", "-w", "vm.swappiness=5"], undo: ["sysctl", "-q", "-w", "vm.swappiness=10"]))
        worker.answer(["sysctl", "-q", "-w", "vm.swappiness=60"]) { $0["/proc/sys/vm/swappiness"] = "60\n" }
        worker.answer(["snap", "remove", "--purge", "core20"]) { $0.answer(list, output: snaps([])) }
        worker.forget()
        try await clean()
        let undone = worker.ran.map(\.description).filter { $0.hasPrefix("sysctl") || $0.hasPrefix("snap remove") }
        #expect(undone == ["snap remove --purge core20", "sysctl -q -w vm.swappiness=60"])
    }

    @Test(arguments: [true, false])
    func theAgentsSamplesStayUnlessAllIsWiped(keepsData: Bool) async throws {
        worker.place(.directory(.ownerReadWriteExecute, .root), at: AgentFiles.unitFile.removingLastComponent())
        try await make(.write(File(AgentFiles.unitFile, "[Unit]")))
        worker[AgentFiles.program] = "ELF"
        for folder: FilePath in ["/run/jhub", "/var/lib/jhub-agent"] {
            worker.place(.directory(.ownerReadWriteExecute, .root), at: folder)
            worker.answer(["rm", "-rf", folder.string]) { $0[folder] = nil }
        }
        worker.forget()
        try await clean(keepsData: keepsData)
        #expect(worker.removed == [AgentFiles.unitFile, AgentFiles.program])
        // No daemon-reload among them.
        #expect(
            worker.ran.map(\.description)
                == ["rm -rf /run/jhub"] + (keepsData ? [] : ["rm -rf /var/lib/jhub-agent"]))
    }

    @Test func afterACleanUpTheRecordBeginsAnew() async throws {
        try await make(.write(File("/etc/a", "1")))
        #expect(try record.traces(on: "worker1").count == 1)
        try record.close("worker1")
        #expect(try record.traces(on: "worker1").isEmpty)
        worker["/etc/a"] = "theirs"
        try await make(.write(File("/etc/a", "2")))
        try await clean()
        #expect(worker["/etc/a"] == "theirs")
    }

    @Test func anotherMachinesTracesAreNotMixedIn() async throws {
        try await make(.write(File("/etc/a", "1")))
        #expect(try record.traces(on: "worker2").isEmpty)
    }
}
