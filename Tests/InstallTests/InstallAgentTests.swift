import FoundationEssentials
import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct InstallAgentTests {
    var machine: TestMachine
    let cluster: StubCluster
    private let root: TestFolder
    private let health: StubServer
    private var host: ScriptedHost { machine.host }

    private static let unit: FilePath = "/etc/systemd/system/jhub-agent.service"

    init() throws {
        machine = try TestMachine()
        machine.provider = ExistingCluster(kubeconfig: "/etc/kubernetes/admin.conf", socket: "/s", helm: "helm")
        cluster = try StubCluster()
        machine.joins(cluster)
        root = try TestFolder()
        try FileManager.default.createSymbolicLink(
            atPath: root.path.appending("templates").string,
            withDestinationPath: repository.appending("templates").string)
        health = try StubServer { StubResponse($0.path == "/healthz" ? 200 : 404) }
        machine.settings.nodeIp = "127.0.0.1"
        machine.settings.agentPort = Int(health.port)
        machine.units([:], else: "inactive")
        host[program] = "ELF"
    }

    private var program: FilePath { root.path.appending("bin").appending("jhub-agent") }
    private var exchange: String { "send \(program) to /usr/local/bin/jhub-agent" }

    private var site: Site {
        Site(
            settings: machine.settings, head: host.host, provider: machine.provider, bundle: machine.bundle,
            root: root.path, images: machine.images)
    }

    private func plan() async throws -> Plan { try await InstallAgent().plan(for: site) }

    private func changes() async throws -> [Change] {
        guard case .changes(let changes) = try await plan() else { return [] }
        return changes
    }

    /// As the API server does for a secret of this type.
    private func giveToken(to node: String = "head") throws {
        let path = "/api/v1/namespaces/jhub-agent/secrets/\(node)"
        var secret = try #require(cluster[path]?.object)
        let data = ["token": "geheim", "ca.crt": "PEM"].mapValues { JSON.string(Base64.encoded(Array($0.utf8))) }
        secret["data"] = .object(data)
        cluster[path] = .object(secret)
    }

    /// Carries out what is planned, as far as a test's machine can.
    private func carryOut(_ changes: [Change]) async throws {
        for change in changes {
            switch change.action {
            case .write(let file, _): try await host.write(file)
            case .send(let file, let target, let permissions):
                try await host.write(File(target, host[file] ?? "", permissions: permissions))
            case .apply(let manifest): try cluster.put(manifest.object)
            case .run(let command, _):
                if command.argv[1] == "enable" {
                    host["/etc/systemd/system/multi-user.target.wants/jhub-agent.service"] = ""
                }
                if command.argv[1] == "start" { machine.units([:], else: "active") }
            default: Issue.record("\(change)")
            }
        }
        host.script { command, host in
            guard command.argv[0] == "sha256sum" else { return nil }
            return Outcome(output: "\(host[FilePath(command.argv[2])] ?? "")  \(command.argv[2])\n")
        }
    }

    @Test func firstItsCredentialThenItsFilesThenItStarts() async throws {
        let first = try await changes()
        #expect(
            first.map(\.action.description) == [
                "apply Namespace/jhub-agent", "apply jhub-agent ServiceAccount/head", "apply jhub-agent Secret/head",
                "apply ClusterRole/jhub-agent-head", "apply ClusterRoleBinding/jhub-agent-head",
            ])
        try await carryOut(first)
        #expect(try await plan() == .waits(for: "the token of the service account jhub-agent/head"))
        try giveToken()
        let second = try await changes()
        #expect(
            second.files == [
                Self.unit.string, "/etc/jhub/agent/flags", "/etc/jhub/agent/cluster.json", "/etc/jhub/agent/token",
            ])
        #expect(second[4].action.description == exchange)
        #expect(
            second.commands == [
                "systemctl enable --no-reload jhub-agent.service", "systemctl start jhub-agent.service",
            ])
        #expect(second.filter { $0.file?.isSecret == true }.count == 2)
        try await carryOut(second)
        #expect(try await plan() == .settled)
    }

    /// It takes GPUs from containers that run.
    @Test func unitsAreNeverLoadedAnew() async throws {
        try await carryOut(try await changes())
        try giveToken()
        let commands = try await changes().commands
        #expect(!commands.contains { $0.contains("daemon-reload") })
        for command in commands where command.contains("enable") { #expect(command.contains("--no-reload")) }
    }

    @Test func itsTokenMayPatchThisNodeAndNothingElse() async throws {
        let role = try #require(
            try await changes().compactMap { change -> Manifest? in
                if case .apply(let manifest) = change.action, manifest.kind == "ClusterRole" { manifest } else { nil }
            }.first)
        #expect(
            role.object["rules"] == [
                [
                    "apiGroups": [""], "resources": ["nodes", "nodes/status"], "resourceNames": ["head"],
                    "verbs": ["patch"],
                ]
            ])
    }

    @Test func anotherProgramIsExchangedWhileItStandsStill() async throws {
        try await carryOut(try await changes())
        try giveToken()
        try await carryOut(try await changes())
        #expect(try await plan() == .settled)
        host["/usr/local/bin/jhub-agent"] = "OLD"
        let changes = try await changes()
        #expect(
            changes.map(\.action.description) == [
                "run systemctl stop jhub-agent.service", exchange, "run systemctl start jhub-agent.service",
            ])
    }

    @Test func oneThatWasStoppedIsStarted() async throws {
        try await carryOut(try await changes())
        try giveToken()
        try await carryOut(try await changes())
        machine.units([:], else: "failed")
        #expect(try await changes().commands == ["systemctl start jhub-agent.service"])
    }

    @Test func turnedOffItGoesAndItsSamplesStay() async throws {
        try await carryOut(try await changes())
        try giveToken()
        try await carryOut(try await changes())
        var off = self
        off.machine.settings.enableAgent = false
        let changes = try await off.changes()
        #expect(changes.commands == ["systemctl disable --no-reload --now jhub-agent.service"])
        let removed = changes.compactMap { change -> String? in
            if case .remove(let path) = change.action { path.string } else { nil }
        }
        #expect(Set(removed) == Set(AgentFiles.all.map(\.string)))
        #expect(changes.count { if case .delete = $0.action { true } else { false } } == 4)
    }

    @Test func aWorkersSpeaksAsItselfAndHasTheHeadsToken() async throws {
        host["/etc/jhub/agent/token"] = "of all nodes\n"
        let worker = ScriptedHost(name: "worker1", files: ["/proc/sys/kernel/hostname": "worker1\n"])
        worker.answer(where: { $0.argv[0] == "systemctl" }, Outcome(status: 3, output: "inactive\n"))
        var site = site
        site.worker = Worker(host: worker.host, entry: TestCluster.entry)
        guard case .changes(let first) = try await InstallAgent().plan(for: site) else {
            Issue.record("a worker without an agent lacks nothing")
            return
        }
        try await carryOut(first)
        try giveToken(to: "worker1")
        guard case .changes(let second) = try await InstallAgent().plan(for: site) else {
            Issue.record("with its credential alone it lacks nothing")
            return
        }
        let files = Dictionary(
            uniqueKeysWithValues: second.compactMap(\.file).map {
                ($0.path, String(decoding: $0.contents, as: UTF8.self))
            })
        #expect(files["/etc/jhub/agent/flags"]?.contains("--listen 10.99.0.11:\(site.settings.agentPort) ") == true)
        #expect(files["/etc/jhub/agent/cluster.json"]?.contains(#""node":"worker1""#) == true)
        #expect(files["/etc/jhub/agent/token"] == "of all nodes\n")
        #expect(second.contains { $0.action.description == exchange })
        #expect(host.writes.isEmpty)
    }

    @Test func ofANodeThatIsRemovedTheClusterKeepsNothing() async throws {
        try await carryOut(try await changes())
        #expect(try await ForgetAgent(of: "worker1").plan(for: site) == .settled)
        guard case .changes(let changes) = try await ForgetAgent(of: "head").plan(for: site) else {
            Issue.record("nothing is to be deleted")
            return
        }
        #expect(
            changes.map(\.action.description) == [
                "delete ClusterRoleBinding/jhub-agent-head", "delete ClusterRole/jhub-agent-head",
                "delete jhub-agent Secret/head", "delete jhub-agent ServiceAccount/head",
            ])
    }

    @Test func aCopyWithoutItsAgentIsSaid() async throws {
        try await carryOut(try await changes())
        try giveToken()
        host[program] = nil
        let error = await #expect(throws: InstallError.self) { _ = try await self.plan() }
        #expect(
            error?.description.contains("\(root.path)/bin/jhub-agent: this copy of jhub-install is not whole") == true)
    }
}
