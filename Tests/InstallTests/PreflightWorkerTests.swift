import Hosts
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Install

/// A worker that is well, beside a head that is.
struct WorkerMachine {
    var machine: PreflightMachine
    let head = ScriptedHost(name: "head")
    var others = [
        NodeIdentity(name: "head", address: "10.99.0.5", machineID: "aaaa", hardware: ["02:00:00:00:00:05"]),
        NodeIdentity(name: "worker1", address: "10.99.0.2", machineID: "bbbb"),
    ]
    /// What the head's own clock says, one question after the other.
    var clock: [Double] = [1002, 1002.02, 1002, 1002.02, 1002, 1002.02]

    init() throws {
        machine = try PreflightMachine()
        let worker = machine.host
        worker["/proc/sys/kernel/hostname"] = "worker1\n"
        worker["/etc/machine-id"] = "bbbb\n"
        worker["/proc/sys/kernel/random/boot_id"] = "2\n"
        worker.answer(["date", "+%s.%N"], output: "1002.010000000\n")
        for port in [16443, 25000] { reach(worker, "10.99.0.5", port, Outcome()) }
        let addresses = try PreflightMachine.text("addresses.json")
        head.answer(
            ["ip", "-json", "address", "show"], output: addresses.replacing("10.99.0.2\"", with: "10.99.0.5\""))
        head.answer(["ip", "-json", "-4", "route", "show"], output: try PreflightMachine.text("routes.json"))
        head["/proc/sys/kernel/hostname"] = "head\n"
        head["/etc/machine-id"] = "aaaa\n"
        head["/proc/sys/kernel/random/boot_id"] = "1\n"
        reach(head, "10.99.0.2", 10250, Outcome(status: 1, errors: "bash: connect: Connection refused\n"))
        head.answer(["snap", "list"], output: Self.snaps("8142"))
    }

    static func snaps(_ revision: String) -> String {
        "Name Version Rev Tracking Publisher Notes\nmicrok8s v1.30.14 \(revision) - canonical classic,held\n"
    }

    func reach(_ host: ScriptedHost, _ address: String, _ port: Int, _ outcome: Outcome) {
        host.answer(Reach(address: address, port: port).command, outcome)
    }

    func finding(_ id: String) async throws -> Finding {
        var site = machine.site
        site.head = head.host
        let entry = NodeEntry(name: "worker1", address: "10.99.0.2", hostKey: TestCluster.fingerprint)
        site.worker = Worker(host: machine.host.host, entry: entry)
        if id == "time.skew" {
            let answers = Mutex(clock)
            return try await ClocksAgree(now: { answers.withLock { $0.removeFirst() } }).finding(on: site)
        }
        let preflight = Preflight.worker(for: machine.settings, beside: others, Carried(machine.shelf))
        guard let check = preflight.checks.first(where: { $0.id == id }) else {
            throw FactError("no check is called \(id)")
        }
        return try await check.finding(on: site)
    }
}

@Suite struct PreflightWorker {
    struct Fault: Sendable, CustomTestStringConvertible {
        var id: String
        var verdict: Finding.Verdict
        var words: String
        var spoil: @Sendable (inout WorkerMachine) throws -> Void
        var testDescription: String { "\(id): \(words)" }

        init(
            _ id: String, _ verdict: Finding.Verdict, _ words: String,
            spoil: @escaping @Sendable (inout WorkerMachine) throws -> Void
        ) { (self.id, self.verdict, self.words, self.spoil) = (id, verdict, words, spoil) }
    }

    /// Those that only a worker is asked.
    static let own: [any Check] = {
        let heads = Set(Preflight.standard(for: Settings()).checks.map(\.id))
        return Preflight.worker(for: Settings(), beside: []).checks.filter { !heads.contains($0.id) }
    }()

    static let faults = [
        Fault("node.head", .failed, "it is the head") {
            let worker = $0.machine.host
            (worker["/etc/machine-id"], worker["/proc/sys/kernel/random/boot_id"]) = ("aaaa\n", "1\n")
            worker["/proc/sys/kernel/hostname"] = "head\n"
        },
        Fault("node.unique", .failed, "machine-id cccc is also that of worker7 (10.99.0.17)") {
            $0.machine.host["/etc/machine-id"] = "cccc\n"
            $0.others.append(NodeIdentity(name: "worker7", address: "10.99.0.17", machineID: "cccc"))
        },
        Fault("node.unique", .failed, "10.99.0.17 is called worker1, too") {
            $0.others.append(NodeIdentity(name: "worker1", address: "10.99.0.17", machineID: "cccc"))
        },
        Fault("node.unique", .failed, "10.99.0.2 is also the address of worker7") {
            $0.others.append(NodeIdentity(name: "worker7", address: "10.99.0.2", machineID: "cccc"))
        },
        Fault("node.unique", .failed, "a card has the same MAC address as one of head") {
            let worker = $0.machine.host
            let text = try PreflightMachine.text("addresses.json")
            let cards = try Interfaces().value(of: Outcome(output: text))
            let card = try #require(cards.first { $0.addresses.contains { $0.text == "10.99.0.2" } }?.hardware)
            worker.answer(
                ["ip", "-json", "address", "show"], output: text.replacing(card, with: "02:00:00:00:00:05"))
        },
        Fault("time.skew", .failed, "600 s ahead, ± 0.01 s") {
            $0.machine.host.answer(["date", "+%s.%N"], output: "1602.01\n")
            $0.clock = [1000, 1004, 1002, 1002.02, 1003, 1003.5]
        },
        Fault("time.skew", .warning, "2.01 s behind") {
            $0.machine.host.answer(["date", "+%s.%N"], output: "1000.00\n")
            $0.clock = [1002, 1002.02, 1002, 1002.02, 1002, 1002.02]
        },
        Fault("net.to_head", .failed, "10.99.0.5:25000: no answer within 5 s") {
            $0.reach($0.machine.host, "10.99.0.5", 25000, Outcome(status: 124))
        },
        Fault("net.to_head", .failed, "nothing listens at 10.99.0.5:16443") {
            $0.reach($0.machine.host, "10.99.0.5", 16443, Outcome(status: 1, errors: "Connection refused"))
        },
        Fault("net.from_head", .failed, "10.99.0.2:10250: bash: connect: No route to host") {
            $0.reach($0.head, "10.99.0.2", 10250, Outcome(status: 1, errors: "bash: connect: No route to host\n"))
        },
        Fault("net.mtu", .warning, "9000") {
            let text = try PreflightMachine.text("addresses.json")
            $0.machine.host.answer(
                ["ip", "-json", "address", "show"], output: text.replacing("\"mtu\":1500", with: "\"mtu\":9000"))
        },
        Fault("mk8s.foreign", .failed, "which somebody else installed") {
            $0.machine.host.answer(["snap", "list"], output: WorkerMachine.snaps("8142"))
        },
        Fault("mk8s.foreign", .failed, "it is a worker of another cluster") {
            $0.machine.host.answer(["snap", "list"], output: WorkerMachine.snaps("8142"))
            $0.machine.host["/var/snap/microk8s/current/var/lock/clustered.lock"] = ""
            $0.machine.host["/var/snap/microk8s/current/certs/ca.remote.crt"] = "ANOTHER"
        },
        Fault("mk8s.revision", .failed, "revision 7000") {
            $0.machine.host.answer(["snap", "list"], output: WorkerMachine.snaps("7000"))
        },
        Fault("mk8s.revision", .failed, "the bundle holds revision 8142") {
            $0.head.answer(["snap", "list"], output: WorkerMachine.snaps("7000"))
        },
        Fault("disk.shared", .warning, "/srv/jhub lies on the machine's own ext4") {
            $0.machine.settings.sharedStorageEnabled = true
        },
    ]

    @Test func everyCheckOfAWorkersOwnPassesOnAGoodOne() async throws {
        var worker = try WorkerMachine()
        defer { worker.machine.remove() }
        worker.machine.settings.sharedStorageEnabled = false
        for check in Self.own {
            let finding = try await worker.finding(check.id)
            #expect(finding.verdict == .passed, "\(check.id): \(finding)")
        }
    }

    @Test func eachIsShownAFault() { #expect(Set(Self.own.map(\.id)) == Set(Self.faults.map(\.id))) }

    @Test(arguments: faults) func isFound(_ fault: Fault) async throws {
        var worker = try WorkerMachine()
        defer { worker.machine.remove() }
        try fault.spoil(&worker)
        let finding = try await worker.finding(fault.id)
        #expect(finding.verdict == fault.verdict, "\(finding)")
        #expect(finding.measured.contains(fault.words), "\(finding)")
        #expect(finding.fix?.isEmpty == false)
    }

    /// Of three answers the quickest tells: the slow ones leave room for any clock.
    @Test func theWayThereAndBackIsTakenOut() async throws {
        var worker = try WorkerMachine()
        defer { worker.machine.remove() }
        worker.clock = [990, 1012, 995, 1009, 1002, 1002.02]
        #expect(try await worker.finding("time.skew").verdict == .passed)
        worker.clock = [1000, 1020, 1000, 1020, 1000, 1020]
        #expect(try await worker.finding("time.skew").verdict == .passed)
    }

    @Test func aMicroK8sThatWePutThereIsOurs() async throws {
        let worker = try WorkerMachine()
        defer { worker.machine.remove() }
        worker.machine.host.answer(["snap", "list"], output: WorkerMachine.snaps("8142"))
        worker.machine.host["/var/snap/microk8s/common/.microk8s.yaml"] = LaunchConfiguration(address: "10.0.0.1").yaml
        #expect(try await worker.finding("mk8s.foreign").verdict == .passed)
    }
}
