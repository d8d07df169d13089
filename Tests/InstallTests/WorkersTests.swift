package import Hosts
import Kube
import Synchronization
package import SystemPackage
import TestSupport
import Testing

@testable import Install

extension ScriptedHost: NodeConnection {
    package func forward(_ socket: FilePath) async throws(TransportError) -> FilePath { socket }
    package func close() async {}
}

/// A head, and machines that can be opened by their addresses.
private struct TestSite {
    let head: TestMachine
    let kube: StubCluster
    let machines: [String: ScriptedHost]

    init(_ names: String...) throws {
        (head, kube) = (try TestMachine(), try StubCluster())
        head.joins(kube)
        head.host["/etc/machine-id"] = "aaaa\n"
        try kube.put(["apiVersion": "v1", "kind": "Node", "metadata": ["name": "head"]])
        var machines: [String: ScriptedHost] = [:]
        for (number, name) in names.enumerated() {
            let machine = ScriptedHost(name: name)
            machine["/proc/sys/kernel/hostname"] = "\(name)\n"
            machine["/etc/machine-id"] = "\(name)\n"
            let cards = try PreflightMachine.text("addresses.json").replacing("52:54:00:12:34:56", with: "02:\(number)")
            machine.answer(["ip", "-json", "address", "show"], output: cards)
            machines["10.99.0.1\(number + 1)"] = machine
        }
        self.machines = machines
    }

    var entries: [NodeEntry] {
        machines.keys.sorted().map { NodeEntry(name: $0, address: $0, hostKey: TestCluster.fingerprint) }
    }

    /// With stages of the test's making in the place of the real ones, and no check that could stop anybody.
    func workers(_ sequence: WorkerSequence, parallel: Int = 4) -> Workers {
        var workers = Workers(
            site: head.site, installer: Installer(stages: [], record: head.record, pulse: .milliseconds(5)),
            parallel: parallel
        ) { [machines] entry in
            guard let machine = machines[entry.address] else {
                throw TransportError(entry.address, "log in", "no route to host")
            }
            return machine
        }
        workers.sequence = sequence
        workers.ignored = Set(Preflight.worker(for: Settings(), beside: []).checks.map(\.id))
        return workers
    }

    func list() async throws -> [String] { try await NodeList.standing(on: head.host.host).nodes.map(\.name) }
}

/// Writes a file on the node; refuses one by its name.
private struct Mark: Stage {
    var name: String
    var title: String { name }
    var refusing: String?

    func plan(for site: Site) async throws -> Plan {
        if site.node.name == refusing { throw InstallError.refused("\(name) does not like \(site.node.name)") }
        return .of(try await site.node.wants(File(FilePath("/var/\(name)"), "x"), because: "it is not there"))
    }
}

private func sequence(refusing name: String? = nil) -> WorkerSequence {
    WorkerSequence(
        before: [Mark(name: "before")], join: [Mark(name: "join", refusing: name)], after: [Mark(name: "after")])
}

@Suite struct WorkersTests {
    @Test func allComeInAndASecondRunChangesNothing() async throws {
        let site = try TestSite("worker1", "worker2", "worker3")
        let first = try await site.workers(sequence()).add(site.entries)
        #expect(first.results.map { try? $0.outcome.get() } == [3, 3, 3])
        #expect(first.results.map(\.entry.name) == ["worker1", "worker2", "worker3"])
        #expect(try await site.list() == ["worker1", "worker2", "worker3"])
        for machine in site.machines.values {
            #expect(machine["/etc/hosts"]?.contains("10.99.0.13 worker3") == true)
            #expect(machine["/etc/hosts"]?.contains("10.99.0.2 Head") == true)
            machine.forget()
        }
        #expect(site.head.host["/etc/hosts"]?.contains("10.99.0.11 worker1\n10.99.0.12 worker2") == true)
        site.head.host.forget()
        let second = try await site.workers(sequence()).add(site.entries)
        #expect(second.results.map { try? $0.outcome.get() } == [0, 0, 0])
        #expect((site.machines.values + [site.head.host]).allSatisfy { $0.writes.isEmpty })
    }

    @Test func oneThatFailsStopsNoneOfTheOthersAndIsForgotten() async throws {
        let site = try TestSite("worker1", "worker2", "worker3")
        let outcome = try await site.workers(sequence(refusing: "worker2")).add(site.entries)
        #expect(outcome.results.map(\.failure?.stage) == [nil, "join", nil])
        #expect(outcome.results[1].failure?.reasons == ["join does not like worker2"])
        #expect(outcome.results[1].failure?.isUntouched == false)
        #expect(try await site.list() == ["worker1", "worker3"])
        #expect(site.head.host["/etc/hosts"]?.contains("worker2") == false)
        let again = try await site.workers(sequence()).add(site.entries)
        #expect(again.results.map { try? $0.outcome.get() } == [0, 2, 0])
    }

    @Test func whoCannotBeReachedIsSaidToBeUntouched() async throws {
        let site = try TestSite("worker1")
        let stranger = NodeEntry(name: "10.99.0.99", address: "10.99.0.99", hostKey: TestCluster.fingerprint)
        let outcome = try await site.workers(sequence()).add(site.entries + [stranger])
        #expect(outcome.results.map(\.failure?.stage) == [nil, "connect"])
        #expect(outcome.results[1].failure?.isUntouched == true)
        #expect(outcome.results[1].failure?.reasons == ["10.99.0.99: could not log in: no route to host"])
    }

    @Test func aMachineThatIsCalledOtherwiseThanTheInventorySaysIsRefused() async throws {
        let site = try TestSite("worker1")
        var entry = site.entries[0]
        entry.name = "worker9"
        let failure = try await site.workers(sequence()).add([entry]).results[0].failure
        #expect(
            failure?.reasons == ["the machine at 10.99.0.11 is called worker1, and the inventory has it as worker9"])
    }

    @Test func whatAKilledRunLeftAtWorkIsRefused() async throws {
        let site = try TestSite("worker1")
        let machine = try #require(site.machines["10.99.0.11"])
        machine.place(.directory(.ownerReadWriteExecute, .root), at: "/var/lib/jhub")
        machine.answer(["flock", "--exclusive", "--nonblock", "/var/lib/jhub", "true"], output: "", status: 1)
        let failure = try await site.workers(sequence()).add(site.entries).results[0].failure
        #expect(failure?.reasons.first?.contains("had started on worker1 still works") == true)
    }

    @Test func aHeadWithoutAClusterIsRefused() async throws {
        let site = try TestSite("worker1")
        site.kube.trouble = "etcd"
        let error = await #expect(throws: InstallError.self) {
            try await site.workers(sequence()).add(site.entries)
        }
        #expect(error?.description.contains("bring the head up first") == true)
    }

    @Test func theyJoinOneAtATime() async throws {
        let site = try TestSite("worker1", "worker2", "worker3", "worker4")
        let joining = Mutex((now: 0, most: 0))
        struct Join: Stage {
            let name = "join"
            let title = "Join"
            var enter: @Sendable (Int) -> Void
            func plan(for site: Site) async throws -> Plan {
                guard try await !site.node.has("/var/join") else { return .settled }
                enter(1)
                try await Task.sleep(for: .milliseconds(20))
                enter(-1)
                return .of(try await site.node.wants(File("/var/join", "x"), because: "it is not there"))
            }
        }
        let stage = Join { change in
            joining.withLock { state in
                state.now += change
                state.most = max(state.most, state.now)
            }
        }
        // The plan that is made side by side must not get to it.
        let sequence = WorkerSequence(before: [Mark(name: "before")], join: [stage], after: [])
        let outcome = try await site.workers(sequence).add(site.entries)
        #expect(outcome.results.allSatisfy { $0.failure == nil })
        #expect(joining.withLock(\.most) == 1)
    }

    /// One that is not ready before all others are in would wait for ever, did any of them wait for it.
    @Test(.timeLimit(.minutes(1))) func aSlowOneHoldsNoneOfTheOthers() async throws {
        let site = try TestSite("worker1", "worker2", "worker3")
        struct Slow: Stage {
            let name = "slow"
            let title = "Wait for the others"
            var areOthersIn: @Sendable () async throws -> Bool
            func plan(for site: Site) async throws -> Plan {
                while site.node.name == "worker1", try await !areOthersIn() {
                    try await Task.sleep(for: .milliseconds(5))
                }
                return .settled
            }
        }
        let stage = Slow { try await Set(site.list()).isSuperset(of: ["worker2", "worker3"]) }
        let sequence = WorkerSequence(before: [stage, Mark(name: "before")], join: [Mark(name: "join")], after: [])
        let outcome = try await site.workers(sequence).add(site.entries)
        #expect(outcome.results.map { try? $0.outcome.get() } == [2, 2, 2])
    }

    @Test func sideBySideKeepsTheOrderAndTheBound() async {
        let running = Mutex((now: 0, most: 0))
        let squares = await sideBySide(Array(1...20), atMost: 3) { number in
            running.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
            await Task.yield()
            running.withLock { $0.now -= 1 }
            return number * number
        }
        #expect(squares == (1...20).map { $0 * $0 })
        #expect(running.withLock(\.most) <= 3)
    }
}

@Suite struct NodeViewTests {
    private func view(
        _ cluster: NodeView.InCluster, _ machine: NodeView.OnMachine, listed: Bool = true, departed: Bool = false
    ) -> [String] {
        NodeView(
            name: "worker1", address: "10.99.0.11", isHead: false, isListed: listed, isDeparted: departed,
            cluster: cluster, machine: machine
        ).disagreements
    }

    @Test func whereAllAgreeNothingIsSaid() {
        #expect(view(.ready, .joined).isEmpty)
        #expect(view(.cordoned, .joined).isEmpty)
    }

    @Test func eachDisagreementSaysWhatToDo() {
        #expect(view(.absent, .joined).first?.contains("'jhub-install add-node worker1' joins it again") == true)
        #expect(view(.ready, .notJoined).first?.contains("the machine has not joined") == true)
        #expect(
            view(.ready, .notAsked, listed: false).first?.contains("'jhub-install add-node 10.99.0.11' enters it")
                == true)
        #expect(view(.absent, .notAsked, listed: false, departed: true).first?.contains("remove-node worker1") == true)
        #expect(
            view(.notReady("no network"), .unreachable("no route")) == ["cannot be reached: no route", "no network"])
        #expect(view(.absent, .elsewhere).contains("a worker of another cluster now"))
    }
}
