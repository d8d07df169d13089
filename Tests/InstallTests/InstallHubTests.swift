import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct InstallHubTests {
    var machine: TestMachine
    let cluster: StubCluster
    private var host: ScriptedHost { machine.host }
    private let hub = "/apis/apps/v1/namespaces/jhub/deployments/hub"

    init() throws {
        machine = try TestMachine()
        // What the login page is asked of.
        let server = try StubServer { _ in StubResponse(200, "<form>") }
        machine.settings.nodeIp = "127.0.0.1"
        machine.settings.nodeportFallbackPort = Int(server.port)
        cluster = try StubCluster([["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "jhub"]]])
        machine.joins(cluster)
        try cluster.put([
            "apiVersion": "v1", "kind": "Node", "metadata": ["name": "head"],
            "status": ["allocatable": ["cpu": "4", "memory": "16Gi"]],
        ])
        try machine.folder.put("charts/jupyterhub-4.2.0.tgz")
        helm(["list"], "[]")
        helm(["template"], "")
    }

    private func helm(_ words: [String], _ output: String, status: Int32 = 0) {
        let command = machine.provider.helm + words
        host.answer(where: { $0.argv.starts(with: command) }, Outcome(status: status, output: output))
    }

    private func plan() async throws -> Plan { try await InstallHub().plan(for: machine.site) }
    private func changes() async throws -> [Change] { try await machine.changes(of: InstallHub()) }

    /// Makes what the first round wants: a password and the secrets.
    private func makeSecrets() async throws {
        for change in try await changes() {
            if let file = change.file { try await host.write(file) }
            if case .apply(let manifest) = change.action { try await machine.site.kube().apply(manifest) }
        }
    }

    /// Helm has done what it was asked, and its pods run.
    private func deploy(_ upgrade: Command, manifest: String = "") throws {
        helm(
            ["list"],
            #"[{"name":"jhub","revision":"1","status":"deployed","chart":"jupyterhub-4.2.0"}]"#)
        let release: JSON = ["config": try JSON(parsing: upgrade.input), "manifest": .string(manifest)]
        helm(["status"], release.text())
        for name in ["hub", "proxy"] {
            try cluster.put([
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": ["name": .string(name), "namespace": "jhub", "generation": 1],
                "spec": ["replicas": 1, "selector": ["matchLabels": ["component": .string(name)]]],
                "status": [
                    "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                    "availableReplicas": 1,
                ],
            ])
        }
    }

    private func upgrade() async throws -> Command {
        for change in try await changes() { if case .run(let command, _) = change.action { return command } }
        throw FactError("there is no upgrade in the plan")
    }

    @Test func secretsAreMadeFirstAndOnce() async throws {
        let changes = try await changes()
        #expect(changes.files == ["/var/lib/jhub/admin-password"])
        #expect(changes.map(\.action.description).last == "apply jhub Secret/jhub-install")
        let file = try #require(changes.first?.file)
        #expect(file.permissions == .ownerReadWrite && file.isSecret && file.contents.count == 21)
        try await makeSecrets()
        let secret = try #require(cluster["/api/v1/namespaces/jhub/secrets/jhub-install"])
        let password = String(decoding: file.contents, as: UTF8.self)
        #expect(try await self.changes().files.isEmpty)
        let kept = secret[["data", "admin-password"]]?.string.flatMap(Base64.decoded) ?? []
        // The password of the file is that of the Secret.
        #expect(host["/var/lib/jhub/admin-password"].map { $0.utf8.count } == 21)
        #expect(String(decoding: kept, as: UTF8.self) == host["/var/lib/jhub/admin-password"]?.trimmed)
        #expect(password.trimmed.count == 20)
    }

    @Test func aPasswordThatTheSiteGaveIsTaken() async throws {
        var machine = machine
        machine.settings.adminPasswordFile = "/root/first"
        machine.host["/root/first"] = "geheim\n"
        let changes = try await machine.changes(of: InstallHub())
        guard changes.count == 1, case .apply(let secret)? = changes.first?.action else { return #expect(Bool(false)) }
        #expect(secret.object[["data", "admin-password"]] == "Z2VoZWlt")
        #expect(!"\(changes)".contains("geheim"))
    }

    @Test func aSecretThatLacksAKeyIsNotMadeAnew() async throws {
        try cluster.put([
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "jhub-install", "namespace": "jhub"],
            "data": ["proxy-token": "YQ=="],
        ])
        let error = await #expect(throws: InstallError.self) { try await plan() }
        #expect(error?.description.contains("has no cookie-secret") == true)
    }

    @Test func itIsInstalledAndThenSettled() async throws {
        try await makeSecrets()
        let changes = try await changes()
        #expect(changes.map(\.reason) == ["the hub is not installed"])
        #expect(changes.commands.first?.contains("upgrade --install jhub") == true)
        try deploy(try await upgrade())
        #expect(try await plan() == .settled)
    }

    @Test func noSecretIsInAPlan() async throws {
        try await makeSecrets()
        let secret = try #require(cluster["/api/v1/namespaces/jhub/secrets/jhub-install"]?["data"]?.object)
        let plan = "\(try await changes())"
        let values = String(decoding: try await upgrade().input, as: UTF8.self)
        for (key, value) in secret where key != "admin-password" {
            let text = String(decoding: Base64.decoded(value.string ?? "") ?? [], as: UTF8.self)
            #expect(values.contains(text), "\(key) is not in the values")
            #expect(!plan.contains(text), "\(key) is in the plan")
        }
    }

    @Test func aChangedConfigNamesWhatDiffers() async throws {
        try await makeSecrets()
        try deploy(try await upgrade())
        var machine = machine
        machine.settings.enableIdleCuller = true
        #expect(try await machine.changes(of: InstallHub()).map(\.reason) == ["the config changed cull.enabled"])
    }

    @Test(arguments: ["pending-install", "pending-upgrade", "pending-rollback"])
    func aReleaseWhoseHelmWasKilledIsForgottenAndTriedAgain(_ status: String) async throws {
        try await makeSecrets()
        helm(["list"], #"[{"name":"jhub","revision":"2","status":"\#(status)","chart":"jupyterhub-4.2.0"}]"#)
        let changes = try await changes()
        #expect(changes.map(\.action.description) == ["delete jhub Secret/sh.helm.release.v1.jhub.v2"])
        #expect(changes.map(\.reason) == ["revision 2 is \(status): its Helm was ended before it was done"])
    }

    @Test(arguments: [
        ("failed", "jupyterhub-4.2.0", "the release is failed"),
        ("deployed", "jupyterhub-4.1.0", "the hub is of jupyterhub-4.1.0"),
    ])
    func aReleaseThatIsNotAsItShouldBeIsUpgraded(_ status: String, chart: String, reason: String) async throws {
        try await makeSecrets()
        helm(["list"], #"[{"name":"jhub","revision":"2","status":"\#(status)","chart":"\#(chart)"}]"#)
        #expect(try await changes().map(\.reason) == [reason])
    }

    @Test func anEditedObjectIsPutBack() async throws {
        try await makeSecrets()
        try deploy(
            try await upgrade(),
            manifest: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: hub}, spec: {replicas: 1}}")
        #expect(try await plan() == .settled)
        var object = try #require(cluster[hub]?.object)
        object["spec"] = ["replicas": 0]
        cluster[hub] = .object(object)
        #expect(try await changes().map(\.reason) == ["edited since: jhub Deployment/hub spec.replicas"])
    }

    @Test func aChartThatRefusesTheValuesStopsBeforeAnyChange() async throws {
        try await makeSecrets()
        helm(["template"], "Error: values don't meet the specifications", status: 1)
        let error = await #expect(throws: InstallError.self) { try await plan() }
        #expect(error?.description.contains("the chart refuses the values made of the config: Error") == true)
    }

    @Test func aBundleWithoutTheChartIsToldSo() async throws {
        try await makeSecrets()
        try machine.folder.remove("charts/jupyterhub-4.2.0.tgz")
        let error = await #expect(throws: BundleError.self) { try await plan() }
        #expect(error?.description.contains("charts/jupyterhub-4.2.0.tgz, the hub's chart") == true)
    }

    @Test func aPodInTroubleIsNamed() async throws {
        try await makeSecrets()
        try deploy(try await upgrade())
        var object = try #require(cluster[hub]?.object)
        object["status"] = ["observedGeneration": 1, "replicas": 1, "updatedReplicas": 1]
        cluster[hub] = .object(object)
        try cluster.put([
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "hub-1", "namespace": "jhub"],
            "spec": ["containers": [["name": "hub", "image": "quay.io/jupyterhub/k8s-hub:4.2.0"]]],
            "status": [
                "phase": "Pending",
                "containerStatuses": [["name": "hub", "state": ["waiting": ["reason": "ErrImageNeverPull"]]]],
            ],
        ])
        #expect(
            try await plan()
                == .waits(
                    for: "pod jhub/hub-1: container hub: ErrImageNeverPull quay.io/jupyterhub/k8s-hub:4.2.0"))
    }

    @Test func theLoginPageIsFetchedAsAUserWould() async throws {
        try await makeSecrets()
        let upgrade = try await upgrade()
        let server = try StubServer { _ in StubResponse(503, "starting") }
        var machine = machine
        machine.settings.nodeportFallbackPort = Int(server.port)
        var deployed = upgrade
        let port = "\(self.machine.settings.nodeportFallbackPort)"
        let values = String(decoding: upgrade.input, as: UTF8.self).replacing(port, with: "\(server.port)")
        deployed.input = Array(values.utf8)
        try deploy(deployed)
        guard case .waits(let need) = try await InstallHub().plan(for: machine.site) else {
            return #expect(Bool(false))
        }
        #expect(need == "http://127.0.0.1:\(server.port)/hub/login, which answers 503")
        #expect(server.requests.map(\.path) == ["/hub/login"])
    }

    @Test func itsNamespaceComesFirst() async throws {
        cluster["/api/v1/namespaces/jhub"] = nil
        #expect(try await plan() == .waits(for: "the namespace jhub"))
        host[machine.provider.kubeconfig] = nil
        guard case .waits(let need) = try await plan() else { return #expect(Bool(false)) }
        #expect(need.hasPrefix("the cluster does not answer: there is no "))
    }
}
