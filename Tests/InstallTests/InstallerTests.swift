import Hosts
import Kube
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Install

@Suite struct InstallerTests {
    let machine: TestMachine
    init() throws { machine = try TestMachine() }

    private func lines() throws -> [String] {
        try machine.folder.text("record/changes.jsonl").split(separator: "\n").map(String.init)
    }

    private func installer(_ stages: any Stage..., isInterrupted: @escaping @Sendable () -> Bool = { false })
        -> Installer
    {
        var installer = Installer(
            stages: stages, record: machine.record, pulse: .milliseconds(5), isInterrupted: isInterrupted)
        installer.rest = .milliseconds(20)
        return installer
    }

    @Test func aSecondRunChangesNothing() async throws {
        let stage = KeepFiles(["/etc/a": "1", "/etc/b": "2"])
        #expect(try await installer(stage).run(on: machine.site) == 2)
        #expect(machine.host.writes.map(\.path) == ["/etc/a", "/etc/b"])
        machine.host.forget()
        let lines = try lines()
        #expect(try await installer(stage).run(on: machine.site) == 0)
        #expect(machine.host.writes.isEmpty)
        #expect(try self.lines() == lines)
        #expect(try await installer(stage).plans(for: machine.site).map(\.plan) == [.settled])
    }

    @Test func stagesGoInOrderAndAPlanChangesNothing() async throws {
        let (one, two) = (KeepFiles(["/etc/a": "1"]), KeepFiles(["/etc/b": "2"]))
        let plans = try await installer(one, two).plans(for: machine.site)
        #expect(plans.count == 2)
        #expect(machine.host.writes.isEmpty)
        try await installer(two, one).run(on: machine.site)
        #expect(machine.host.writes.map(\.path) == ["/etc/b", "/etc/a"])
    }

    @Test func aStageIsAskedAgainUntilItsRoundsAreOver() async throws {
        // What the second round wants can be seen only once the first stands.
        let stage = Asking { site, _ in
            if try await site.head.transport.read("/etc/first") == nil { return .changes([write("/etc/first")]) }
            return .of(try await site.head.wants(File("/etc/second", "x"), because: "of the first"))
        }
        #expect(try await installer(stage).run(on: machine.site) == 2)
        #expect(machine.host.writes.map(\.path) == ["/etc/first", "/etc/second"])
    }

    @Test func waitingEndsWithThePatienceAndNamesTheCause() async throws {
        let stage = Asking(patience: .milliseconds(60)) { _, _ in .waits(for: "the image x/y:1") }
        await #expect(
            throws: InstallError.waited(stage: "Ask", patience: .milliseconds(60), need: "the image x/y:1")
        ) { try await installer(stage).run(on: machine.site) }
        #expect(stage.times > 1)
        #expect(
            InstallError.waited(stage: "Ask", patience: .seconds(90), need: "it").description == "Ask: waited 90 s: it")
    }

    @Test func whatIsWaitedForMayCome() async throws {
        let stage = Asking(patience: .seconds(60)) { _, times in times < 4 ? .waits(for: "it") : .settled }
        #expect(try await installer(stage).run(on: machine.site) == 0)
    }

    @Test func aServerThatBeginsAnewInTheMidstOfALookIsWaitedFor() async throws {
        let refused = KubeError("could not POST /reviews: connection refused", isPassing: true)
        let stage = Asking(patience: .seconds(60)) { _, times in
            if times < 4 { throw refused }
            return .settled
        }
        #expect(try await installer(stage).run(on: machine.site) == 0)
        let forbidden = Asking { _, _ in throw KubeError("could not GET /nodes: forbidden") }
        await #expect(throws: KubeError.self) { try await installer(forbidden).run(on: machine.site) }
        #expect(forbidden.times == 1)
    }

    /// Images that follow each other go to the store together, each recorded before and after.
    @Test func imagesGoTogetherAndEachIsRecorded() async throws {
        var machine = machine
        let store = StubImages(failsAfter: 2)
        machine.images = store
        let loads = try ["a", "b", "c"].map { name in Change(.load(try load(name)), because: "it is not there") }
        #expect([write("/etc/a"), loads[0], loads[1], write("/etc/b"), loads[2]].steps.map(\.count) == [1, 2, 1, 1])
        let three = Asking { _, _ in .changes(loads) }
        await #expect(throws: ImageError.self) { try await installer(three).run(on: machine.site) }
        #expect(
            store.calls.withLock(\.self) == [
                ["docker.io/library/a:latest", "docker.io/library/b:latest", "docker.io/library/c:latest"]
            ])
        let results = try lines().map { line in
            ["began", "done", "failed"].first { line.contains("\"result\":\"\($0)") } ?? line
        }
        #expect(results == ["began", "began", "began", "done", "done", "failed"])
        #expect(try lines().last?.contains("the disk is full") == true)
    }

    @Test func whatIsUnloadedIsGoneAndRecorded() async throws {
        var machine = machine
        let image = try load("a")
        let store = StubImages(Holdings().adding(image))
        machine.images = store
        let unload = Change(.unload(["docker.io/library/a:latest"]), because: "nothing uses it any more")
        let stage = Asking { site, _ in .of(try await site.images.holdings().records.isEmpty ? [] : [unload]) }
        #expect(try await installer(stage).run(on: machine.site) == 1)
        #expect(try lines().count == 2)
        #expect(try lines().allSatisfy { $0.contains("unload docker.io/library/a:latest") })
    }

    private func load(_ name: String) throws -> ImageLoad {
        let manifest = Blob(digest: Digest(of: name.utf8), size: 10)
        let image = ArchivedImage(
            names: [try ImageReference(parsing: name)], target: manifest.digest, platform: .linuxAMD64,
            config: manifest.digest, blobs: [manifest], archive: "/b/images.tar",
            source: .init(
                mediaType: MediaType.manifest, manifest: manifest, manifestType: MediaType.manifest, members: [:]))
        return try #require(Holdings().lacks(image))
    }

    @Test func anInterruptStopsBetweenTwoChanges() async throws {
        let host = machine.host
        let installer = installer(KeepFiles(["/etc/a": "1", "/etc/b": "2"]), isInterrupted: { !host.writes.isEmpty })
        await #expect(throws: InstallError.interrupted) { try await installer.run(on: machine.site) }
        #expect(host.writes.map(\.path) == ["/etc/a"])
        #expect(try lines().last?.contains(#""result":"done""#) == true)
    }

    @Test func anInterruptStopsAWait() async throws {
        let stage = Asking(patience: .seconds(600)) { _, _ in .waits(for: "it") }
        let installer = installer(stage, isInterrupted: { stage.times > 2 })
        await #expect(throws: InstallError.interrupted) { try await installer.run(on: machine.site) }
    }

    @Test func aChangeThatDoesNotTakeIsNamed() async throws {
        let change = Change(.run(["true"]), because: "it is not so")
        machine.host.answer(["true"], Outcome())
        let stage = Asking { _, _ in .changes([change]) }
        await #expect(throws: InstallError.didNotTake(stage: "Ask", change)) {
            try await installer(stage).run(on: machine.site)
        }
        #expect(machine.host.ran == [["true"]])
        #expect(
            InstallError.didNotTake(stage: "Ask", change).description
                == "Ask: was done and did not take: run true (it is not so)")
    }

    @Test func whatSomebodyUndoesIsMadeAgainTwice() async throws {
        machine.host.answer(["true"], Outcome())
        let change = Change(.run(["true"]), because: "it is not so")
        let host = machine.host
        let mended = Asking(patience: .seconds(60)) { _, _ in host.ran.count < 3 ? .changes([change]) : .settled }
        #expect(try await installer(mended).run(on: machine.site) == 3)
        host.forget()
        let hopeless = Asking(patience: .milliseconds(200)) { _, _ in .changes([change]) }
        await #expect(throws: InstallError.didNotTake(stage: "Ask", change)) {
            try await installer(hopeless).run(on: machine.site)
        }
        #expect(host.ran.count == 3)
    }

    @Test func aFailureStopsAndIsRecorded() async throws {
        machine.host.answer(["snap", "ack"], Outcome(status: 1, errors: "error: cannot assert: no\n\n"))
        let stage = Asking { _, _ in .changes([Change(.run(["snap", "ack"]), because: "so"), write("/etc/a")]) }
        let error = try await #require(throws: InstallError.self) { try await installer(stage).run(on: machine.site) }
        #expect(error.description == "head: 'snap ack' ended with status 1: error: cannot assert: no")
        #expect(machine.host.writes.isEmpty)
        #expect(try lines().count == 2)
        #expect(try lines()[1].contains(#""result":"failed: head: 'snap ack' ended"#))
    }

    @Test func aFileThatItsProgramRefusesIsPutBack() async throws {
        let machine = machine
        machine.host["/etc/nginx/conf.d/jhub.conf"] = "old"
        machine.host.answer(["nginx", "-t"], Outcome(status: 1, errors: "nginx: [emerg] unknown directive\n"))
        let stage = Asking { _, _ in
            .changes([Change(.write(File("/etc/nginx/conf.d/jhub.conf", "new"), test: ["nginx", "-t"]), because: "so")])
        }
        let error = try await #require(throws: InstallError.self) { try await installer(stage).run(on: machine.site) }
        #expect(error.description.contains("unknown directive"))
        #expect(machine.host["/etc/nginx/conf.d/jhub.conf"] == "old")
        machine.host["/etc/nginx/conf.d/jhub.conf"] = nil
        await #expect(throws: InstallError.self) { try await installer(stage).run(on: machine.site) }
        #expect(machine.host["/etc/nginx/conf.d/jhub.conf"] == nil)
        #expect(machine.host.removed == ["/etc/nginx/conf.d/jhub.conf"])
    }

    @Test func everyKindOfChangeIsCarriedOut() async throws {
        let cluster = try StubCluster([["apiVersion": "v1", "kind": "ConfigMap", "metadata": name("old")]])
        machine.joins(cluster)
        machine.host["/etc/gone"] = "x"
        let changes = [
            Change(.make(Directory("/srv/jhub", permissions: [.ownerReadWriteExecute])), because: "so"),
            Change(.remove("/etc/gone"), because: "so"),
            Change(
                .apply(Manifest(["apiVersion": "v1", "kind": "ConfigMap", "metadata": name("new")])), because: "so"),
            Change(
                .delete(Manifest(["apiVersion": "v1", "kind": "ConfigMap", "metadata": name("old")])), because: "so"),
        ]
        let stage = Asking { _, times in times == 1 ? .changes(changes) : .settled }
        #expect(try await installer(stage).run(on: machine.site) == 4)
        #expect(machine.host.made.map(\.path) == ["/srv/jhub"])
        #expect(machine.host["/etc/gone"] == nil)
        let configMaps = "/api/v1/namespaces/jhub/configmaps"
        #expect(cluster.changed == ["\(configMaps)/new", "\(configMaps)/old"])
        #expect(cluster["\(configMaps)/old"] == nil)
    }

    private func name(_ name: String) -> JSON { ["name": .string(name), "namespace": "jhub"] }

    @Test func eventsTellTheStory() async throws {
        let told = Told()
        var installer = installer(KeepFiles(["/etc/a": "1"]))
        installer.report = { told.add($0) }
        try await installer.run(on: machine.site)
        #expect(told.words == ["began files 1/1", "changing", "changed", "settled 1"])
    }

    @Test(arguments: [
        (Outcome(status: 1, output: "out\n", errors: "\n"), "out"), (Outcome(status: 1), "it said nothing"),
        (Outcome(status: 1, output: "x", errors: "a\n b \n\nc\nd\ne\n"), "b · c · d · e"),
    ])
    func theLastWordsSayWhy(_ outcome: Outcome, words: String) { #expect(outcome.lastWords == words) }
}

private func write(_ path: FilePath) -> Change { Change(.write(File(path, "x")), because: "so") }

/// Wants files to stand.
private struct KeepFiles: Stage {
    let name = "files"
    let title = "Keep the files"
    var files: [FilePath: String]
    init(_ files: [FilePath: String]) { self.files = files }

    func plan(for site: Site) async throws -> Plan {
        var changes: [Change] = []
        for (path, text) in files.sorted(by: { $0.key.string < $1.key.string }) {
            changes += try await site.head.wants(File(path, text), because: "it should")
        }
        return .of(changes)
    }
}

/// Plans as a test says, and counts how often it was asked.
private final class Asking: Stage {
    let name = "ask"
    let title = "Ask"
    let patience: Duration
    private let answer: @Sendable (Site, Int) async throws -> Plan
    private let count = Mutex(0)
    var times: Int { count.withLock { $0 } }

    init(patience: Duration = .zero, _ answer: @escaping @Sendable (Site, Int) async throws -> Plan) {
        (self.patience, self.answer) = (patience, answer)
    }

    func plan(for site: Site) async throws -> Plan {
        let times = count.withLock { count in
            count += 1
            return count
        }
        return try await answer(site, times)
    }
}

private final class Told: Sendable {
    private let list = Mutex<[String]>([])
    var words: [String] { list.withLock { $0 } }

    func add(_ event: Event) {
        let word =
            switch event {
            case .began(let stage, _, let number, let total): "began \(stage) \(number)/\(total)"
            case .waiting: "waiting"
            case .changing: "changing"
            case .moved: "moved"
            case .loaded: "loaded"
            case .changed: "changed"
            case .settled(_, let changes, _): "settled \(changes)"
            }
        list.withLock { $0.append(word) }
    }
}
