import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct JoinTests {
    let cluster: TestCluster
    private let token = "0123456789abcdef0123456789abcdef"
    private static let tokens: FilePath = "/var/snap/microk8s/current/credentials/cluster-tokens.txt"
    /// Each for a certificate that a joining node may have signed.
    private static let requests: FilePath = "/var/snap/microk8s/current/credentials/certs-request-tokens.txt"

    init() throws {
        cluster = try TestCluster()
        let head = cluster.head.host
        head["/var/snap/microk8s/current/certs/server.crt"] =
            "-----BEGIN CERTIFICATE-----\nY2VydGlm\naWNhdGU=\n-----END CERTIFICATE-----\n"
        head.answer(["date", "+%s"], output: "1000\n")
        head[Self.requests] = "somebodys-kubelet\n\(token)-kubelet\n\(token)-proxy\n"
        let (token, tokens) = (token, Self.tokens)
        head.answer(
            ["/snap/bin/microk8s", "add-node", "--token-ttl", "600", "--format", "json"],
            Outcome(output: #"{"token": "\#(token)/0123456789ab", "urls": ["172.17.0.1:25000/x"]}"#)
        ) { $0[tokens] = "old|900\nsomebodys\n\(token)|1600\n" }
    }

    private var plan: Plan { get async throws { try await JoinCluster().plan(for: cluster.site) } }

    private var join: Join { Join(node: "worker1", head: TestMachine.address) }

    /// The words of the join that was run, without those of the lock.
    private var joins: [[String]] {
        cluster.worker.ran.map(\.argv).filter { $0.contains("join") }.map { Array($0.dropFirst(5)) }
    }

    private func answerJoin(_ outcome: Outcome, effect: @escaping @Sendable () throws -> Void = {}) {
        cluster.worker.script { command, _ in
            guard command.argv.contains("join") else { return nil }
            try effect()
            return outcome
        }
    }

    @Test func whoHasNotJoinedJoins() async throws {
        guard case .changes(let changes) = try await plan else { return #expect(Bool(false)) }
        #expect(changes.map(\.action) == [.join(join)])
    }

    @Test func whoHasJoinedAndIsListedIsSettled() async throws {
        cluster.joined()
        try cluster.listed()
        #expect(try await plan == .settled)
    }

    @Test func aGhostGoesBeforeTheJoin() async throws {
        try cluster.listed()
        guard case .changes(let changes) = try await plan else { return #expect(Bool(false)) }
        #expect(changes.map(\.action.description) == ["delete Node/worker1"])
    }

    @Test func whoHasJoinedAndIsNotListedIsStartedAgain() async throws {
        cluster.joined()
        guard case .changes(let changes) = try await plan else { return #expect(Bool(false)) }
        #expect(changes.commands == ["snap restart microk8s.daemon-kubelite"])
    }

    @Test func anothersWorkerIsRefused() async throws {
        cluster.joined("ANOTHER\n")
        let error = await #expect(throws: InstallError.self) { try await plan }
        #expect(error?.description.contains("worker1 is a worker of another MicroK8s cluster") == true)
    }

    @Test func aNameThatIsTakenIsRefused() async throws {
        try cluster.listed(at: "10.99.0.77")
        let error = await #expect(throws: InstallError.self) { try await plan }
        #expect(error?.description.contains("has a node worker1 already, at 10.99.0.77") == true)
    }

    @Test func itJoinsByAddressWithTheWholeFingerprintAndTheTokenIsStruckOut() async throws {
        answerJoin(Outcome(output: "Successfully joined the cluster.\n")) { [cluster] in try cluster.listed() }
        try await join.carryOut(on: cluster.site)
        // sha256sum of the 11 bytes "certificate".
        let fingerprint = "03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72"
        let words = try #require(joins.first)
        #expect(words[0...1] == ["/snap/bin/microk8s", "join"] && words[3] == "--worker")
        #expect(words[2] == "10.99.0.2:25000/\(token)/\(fingerprint)")
        // What was out of date went with it; a token of somebody else's stays.
        #expect(cluster.head.host[Self.tokens] == "somebodys\n")
    }

    @Test func aRefusalLeavesNoTokenAndShowsNone() async throws {
        answerJoin(Outcome(status: 6, output: "Contacting cluster\nConnection failed. Invalid token (500).\n"))
        let error = await #expect(throws: InstallError.self) { try await join.carryOut(on: cluster.site) }
        #expect(error?.description.contains("worker1 could not join the cluster: ") == true)
        #expect(error?.description.contains("Invalid token (500)") == true)
        #expect(error?.description.contains(token) == false)
        #expect(cluster.head.host[Self.tokens] == "somebodys\n")
        #expect(cluster.head.host[Self.requests] == "somebodys-kubelet\n")
        #expect(!cluster.worker.ran.contains { $0.argv.contains("leave") })
    }

    @Test func aCallThatIsStillAnsweredListsNothingForLong() async throws {
        answerJoin(Outcome()) { throw TransportError("worker1", "run microk8s join", "the connection was lost") }
        let (token, requests, tokens, head) = (token, Self.requests, Self.tokens, cluster.head.host)
        head[requests] = ""
        head.script { command, head in
            // Asked for with each list.
            guard command.argv == ["date", "+%s"] else { return nil }
            if head.ran.count(where: { $0.argv == command.argv }) == 3 {
                #expect(head[tokens] == "somebodys\n")
                head[requests] = "somebodys-kubelet\n\(token)-kubelet\n\(token)-proxy\n"
            }
            return Outcome(output: "1000\n")
        }
        await #expect(throws: InstallError.self) { try await join.carryOut(on: cluster.site) }
        #expect(head[requests] == "somebodys-kubelet\n")
    }

    @Test func aJoinThatBreaksOffIsUndoneOnBothSides() async throws {
        let token = token
        answerJoin(Outcome(status: 1, errors: "Traceback: \(token)\n")) { [cluster] in
            cluster.joined()
            try cluster.listed()
        }
        cluster.worker.script { command, host in
            guard command.argv.contains("leave") else { return nil }
            host["/var/snap/microk8s/current/var/lock/clustered.lock"] = nil
            return Outcome()
        }
        let error = await #expect(throws: InstallError.self) { try await join.carryOut(on: cluster.site) }
        #expect(error?.description.contains("Traceback: ***") == true)
        #expect(cluster.worker.ran.contains { $0.argv.contains("leave") })
        #expect(cluster.kube["/api/v1/nodes/worker1"] == nil)
        #expect(cluster.head.host[Self.tokens] == "somebodys\n")
    }

    @Test func whatCannotBeUndoneIsSaid() async throws {
        answerJoin(Outcome(status: 1, errors: "no\n")) { [cluster] in cluster.joined() }
        let error = await #expect(throws: InstallError.self) { try await join.carryOut(on: cluster.site) }
        #expect(
            error?.description.contains("worker1 is left half joined; run add-node again when it can be reached")
                == true)
    }
}

@Suite struct WorkerStagesTests {
    let cluster: TestCluster
    private static let kubelet: FilePath = "/var/snap/microk8s/current/args/kubelet"

    init() throws { cluster = try TestCluster() }

    private func changes(of stage: any Stage) async throws -> [Change] {
        guard case .changes(let changes) = try await stage.plan(for: cluster.site) else { return [] }
        return changes
    }

    @Test func theKubeletGetsItsOwnAddressBack() async throws {
        try cluster.listed()
        cluster.worker[Self.kubelet] = "--root-dir=x\n--node-ip=10.99.0.2\n--cluster-dns=10.152.183.10\n"
        let changes = try await changes(of: SettleNode())
        #expect(changes.commands == ["snap stop microk8s.daemon-kubelite", "snap start microk8s.daemon-kubelite"])
        let text = try #require(changes.compactMap(\.file).first.map { String(decoding: $0.contents, as: UTF8.self) })
        #expect(
            text == "--root-dir=x\n--cluster-dns=10.152.183.10\n--cluster-domain=cluster.local\n--node-ip=10.99.0.11\n")
        cluster.worker[Self.kubelet] = text
        #expect(try await self.changes(of: SettleNode()).commands.isEmpty)
    }

    @Test func roleAndLabelsAreAppliedThenTheNodeIsWaitedFor() async throws {
        try cluster.listed(ready: false)
        let changes = try await changes(of: SettleNode())
        #expect(changes.map(\.action.description) == ["apply Node/worker1"])
        try cluster.kube.put(
            try #require(cluster.kube["/api/v1/nodes/worker1"]).merging(TestCluster.entry.labelled.object))
        #expect(
            try await SettleNode().plan(for: cluster.site) == .waits(for: "node worker1 is not ready: no network yet"))
        try cluster.listed()
        try cluster.kube.put(
            try #require(cluster.kube["/api/v1/nodes/worker1"]).merging(TestCluster.entry.labelled.object))
        #expect(try await SettleNode().plan(for: cluster.site) == .settled)
    }

    @Test func eachMachineFindsAllTheOthers() async throws {
        let head = cluster.head.host
        let key = try #require(TestCluster.fingerprint)
        head[NodeList.path] = "nodes:\n- {name: worker2, address: 10.99.0.12, hostKey: '\(key)'}\n"
        cluster.worker["/etc/hosts"] = "127.0.0.1 localhost\n"
        let onWorker = try await changes(of: NameHosts()).first?.file
        #expect(
            onWorker.map { String(decoding: $0.contents, as: UTF8.self) }
                == "127.0.0.1 localhost\n# BEGIN jhub-install\n10.99.0.11 worker1\n10.99.0.2 Head\n10.99.0.12 worker2\n"
                + "# END jhub-install\n")
        let plan = try await NameHosts(newcomer: TestCluster.entry).plan(for: cluster.site.ofHead)
        guard case .changes(let changes) = plan else { return #expect(Bool(false)) }
        #expect(
            changes.first?.file.map { String(decoding: $0.contents, as: UTF8.self) }
                == "# BEGIN jhub-install\n10.99.0.2 Head\n10.99.0.11 worker1\n10.99.0.12 worker2\n# END jhub-install\n")
    }

    @Test func theSnapsAreCarriedAndTakenAway() async throws {
        try cluster.head.folder.put("snaps/microk8s_8142.snap", "a snap")
        try cluster.head.folder.put("snaps/microk8s_8142.assert", "signed")
        cluster.worker.answer(["snap", "list"], output: "")
        let changes = try await changes(of: PlaceCluster())
        let snaps = cluster.head.folder.path.appending("snaps")
        #expect(
            changes.map(\.action.description).filter { !$0.hasPrefix("write") && !$0.hasPrefix("run sysctl") } == [
                "make the folder /var/lib/jhub/carried (0700)",
                "send \(snaps)/microk8s_8142.assert to /var/lib/jhub/carried/microk8s_8142.assert",
                "send \(snaps)/microk8s_8142.snap to /var/lib/jhub/carried/microk8s_8142.snap",
                "run snap ack /var/lib/jhub/carried/microk8s_8142.assert",
                "run snap install /var/lib/jhub/carried/microk8s_8142.snap --classic",
            ])
        cluster.worker.answer(
            ["snap", "list"],
            output: "Name Version Rev Tracking Publisher Notes\nmicrok8s v1.30.14 8142 - canonical classic,held\n")
        cluster.worker["/var/lib/jhub/carried/microk8s_8142.snap"] = "a snap"
        cluster.worker.answer(where: { $0.argv.starts(with: ["systemctl", "is-active"]) }, Outcome(output: "active\n"))
        #expect(
            try await self.changes(of: PlaceCluster()).map(\.action.description) == ["run rm -rf /var/lib/jhub/carried"]
        )
    }
}

extension JSON {
    fileprivate func merging(_ other: JSON) -> JSON {
        guard case .object(let old) = self, case .object(let new) = other else { return other }
        return .object(old.merging(new) { $0.merging($1) })
    }
}
