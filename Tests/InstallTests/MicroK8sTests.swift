import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct MicroK8sTests {
    let machine: TestMachine
    private var host: ScriptedHost { machine.host }
    private static let common: FilePath = "/var/snap/microk8s/common"
    private static let data: FilePath = "/var/snap/microk8s/current"

    init() throws {
        machine = try TestMachine()
        snaps("")
        for name in ["core20_2318", "microk8s_8142", "snapd_21759"] {
            try machine.folder.put("snaps/\(name).snap")
            try machine.folder.put("snaps/\(name).assert")
        }
    }

    private func snaps(_ lines: String) {
        let head = "Name  Version  Rev  Tracking  Publisher  Notes\n"
        host.answer(["snap", "list"], output: lines.isEmpty ? "" : head + lines)
    }

    private func installed(_ notes: String = "classic,held") {
        snaps(
            "core20 20240416 2318 - canonical✓ base\nmicrok8s v1.30.14 8142 - canonical✓ \(notes)\nsnapd 2.63 21759 - canonical✓ snapd\n"
        )
        machine.units([:])
    }

    /// An installed one that answers.
    private func running(_ arguments: String = "--authorization-mode=RBAC,Node\n") throws -> StubCluster {
        installed()
        let cluster = try StubCluster()
        machine.joins(cluster)
        host[Self.data.pushing("args/kube-apiserver")] = arguments
        return cluster
    }

    private static let node: JSON = ["apiVersion": "v1", "kind": "Node", "metadata": ["name": "head"]]

    private func plan() async throws -> Plan { try await machine.provider.plan(for: machine.site) }

    private func changes() async throws -> [Change] {
        guard case .changes(let changes) = try await plan() else { return [] }
        return changes
    }

    @Test func onABareMachineTheSnapsComeInOrder() async throws {
        let changes = try await changes()
        let folder = machine.folder.path.appending("snaps")
        #expect(changes.first?.file?.path == Self.common.appending(".microk8s.yaml"))
        #expect(
            changes.commands == [
                "snap ack \(folder)/snapd_21759.assert", "snap install \(folder)/snapd_21759.snap",
                "snap ack \(folder)/core20_2318.assert", "snap install \(folder)/core20_2318.snap",
                "snap ack \(folder)/microk8s_8142.assert", "snap install \(folder)/microk8s_8142.snap --classic",
                "sysctl -q --load=/etc/sysctl.d/90-jhub.conf",
            ])
    }

    @Test func theLaunchConfigurationHasTheNodesAddress() async throws {
        let text = try await changes().first?.file.map { String(decoding: $0.contents, as: UTF8.self) }
        let yaml = try JSON(yaml: try #require(text))
        #expect(yaml[["extraKubeletArgs", "--node-ip"]] == .string(TestMachine.address))
        #expect(yaml[["extraKubeletArgs", "--cluster-dns"]] == "10.152.183.10")
        #expect(yaml["extraSANs"] == [.string(TestMachine.address)])
        #expect(yaml["version"] == "0.1.0")
    }

    @Test func whatIsInstalledIsNotInstalledAgain() async throws {
        snaps("core20 20240416 2318 - canonical✓ base\nsnapd 2.63 21759 - canonical✓ snapd\n")
        #expect(try await changes().commands.filter { $0.hasPrefix("snap install") }.count == 1)
    }

    @Test func aSnapWithoutItsAssertionIsRefused() async throws {
        try machine.folder.put("snaps/microk8s_8143.snap")
        try machine.folder.remove("snaps/microk8s_8142.snap")
        let error = await #expect(throws: InstallError.self) { try await plan() }
        #expect(error?.description.contains("microk8s_8143.snap has no .assert file beside it") == true)
    }

    @Test func aBundleWithoutMicroK8sIsRefused() async throws {
        try machine.folder.remove("snaps/microk8s_8142.snap")
        let error = await #expect(throws: InstallError.self) { try await plan() }
        #expect(error?.description.contains("there is no microk8s_REVISION.snap in") == true)
    }

    @Test func aWorkerIsRefused() async throws {
        installed()
        host[Self.data.pushing("var/lock/clustered.lock")] = ""
        let error = await #expect(throws: InstallError.self) { try await plan() }
        #expect(error?.description.contains("is a worker of another MicroK8s cluster") == true)
    }

    @Test func arefreshByItselfIsHeldOff() async throws {
        _ = try running()
        installed("classic")
        let changes = try await changes()
        #expect(changes.commands == ["snap refresh --hold microk8s"])
        #expect(
            changes.first?.action
                == .run(
                    ["snap", "refresh", "--hold", "microk8s"], undo: ["snap", "refresh", "--unhold", "microk8s"]))
    }

    @Test func whatWasStoppedIsStarted() async throws {
        _ = try running()
        host[Self.data.pushing("var/lock/stopped.lock")] = ""
        #expect(try await changes().commands == ["/snap/bin/microk8s start"])
    }

    @Test(arguments: ["failed", "inactive"]) func adaemonThatIsDownIsStarted(_ state: String) async throws {
        _ = try running()
        machine.units(["snap.microk8s.daemon-kubelite": state])
        let changes = try await changes()
        #expect(changes.commands == ["snap start --enable microk8s.daemon-kubelite"])
        #expect(changes.map(\.reason) == ["kubelite is \(state)"])
    }

    @Test func adaemonThatIsOnItsWayIsWaitedFor() async throws {
        installed()
        machine.units(["snap.microk8s.daemon-kubelite": "activating"])
        #expect(
            try await plan() == .waits(for: "containerd's socket /var/snap/microk8s/common/run/containerd.sock"))
    }

    @Test func anAPIThatIsNotReadyIsWaitedForByName() async throws {
        let cluster = try running()
        cluster.trouble = "etcd"
        host[Self.common.pushing("run/containerd.sock")] = ""
        guard case .waits(let need) = try await plan() else { return #expect(Bool(false)) }
        #expect(need.contains("etcd failed"), "\(need)")
    }

    @Test func theFirstPodsImagesAreCarriedInBeforeTheAPIAnswers() async throws {
        installed()
        host[Self.common.pushing("run/containerd.sock")] = ""
        host[Self.data.pushing("args/containerd-template.toml")] = "sandbox_image = \"registry.k8s.io/pause:3.7\"\n"
        let error = await #expect(throws: BundleError.self) { try await plan() }
        #expect(error?.description.contains("holds registry.k8s.io/pause:3.7, and the node has not got it") == true)
    }

    @Test func accessIsGivenByRoles() async throws {
        let cluster = try running("--secure-port=16443\n--authorization-mode=AlwaysAllow\n")
        // The addon would change the arguments of no node at all, and say that it has.
        #expect(try await plan() == .waits(for: "the node head to register with the API server"))
        try cluster.put(Self.node)
        #expect(try await changes().commands == ["/snap/bin/microk8s enable rbac"])
    }

    /// MicroK8s takes the addon for enabled then, and would do nothing.
    @Test func accessIsGivenAgainWhereItWasOnce() async throws {
        let cluster = try running("--secure-port=16443\n--authorization-mode=AlwaysAllow\n")
        try cluster.put([
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "cluster-admin"],
        ])
        let changes = try await changes()
        #expect(changes.commands == ["snap stop microk8s.daemon-kubelite", "snap start microk8s.daemon-kubelite"])
        #expect(changes.count == 3)
        let file = changes[1].file
        #expect(file?.path == Self.data.pushing("args/kube-apiserver"))
        #expect(file?.contents == Array("--secure-port=16443\n--authorization-mode=RBAC,Node\n".utf8))
    }

    /// As after a restore of the file without a restart.
    @Test func theServerIsBelievedBeforeItsArguments() async throws {
        let cluster = try running("--authorization-mode=RBAC,Node\n")
        cluster.isOpen = true
        try cluster.put(Self.node)
        #expect(try await changes().commands == ["/snap/bin/microk8s enable rbac"])
        try cluster.put([
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "cluster-admin"],
        ])
        let changes = try await changes()
        #expect(changes.commands == ["snap stop microk8s.daemon-kubelite", "snap start microk8s.daemon-kubelite"])
        #expect(changes.count == 2)
    }

    @Test func oneThatRunsAsItShouldIsLeftAlone() async throws {
        _ = try running()
        #expect(try await plan() == .settled)
    }

    @Test func nothingIsEverRemovedOrReset() async throws {
        _ = try running("--authorization-mode=AlwaysAllow\n")
        host[Self.data.pushing("var/lock/stopped.lock")] = ""
        installed("classic")
        for command in try await changes().commands {
            #expect(!command.contains("remove") && !command.contains("reset") && !command.contains("install"))
        }
    }

    @Test func itsNetworkIsMadeWholeAgain() async throws {
        let cluster = try running()
        let provider = machine.provider
        #expect(
            try await provider.networkPlan(for: machine.site)
                == .waits(
                    for: "MicroK8s to apply its network (/var/snap/microk8s/current/args/cni-network/cni.yaml)"))
        host[Self.data.pushing("var/lock/cni-loaded")] = ""
        host[Self.data.pushing("args/cni-network/cni.yaml")] = """
            {apiVersion: v1, kind: ConfigMap, metadata: {name: calico-config, namespace: kube-system}}
            ---
            {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}}
            """
        try cluster.put([
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": "calico-config", "namespace": "kube-system"],
        ])
        guard case .changes(let changes) = try await provider.networkPlan(for: machine.site) else {
            return #expect(Bool(false))
        }
        #expect(changes.map(\.action.description) == ["apply kube-system DaemonSet/calico-node"])
    }

    @Test func itsAddonsAreTurnedOnWithoutAskingOutside() async throws {
        _ = try running()
        guard case .changes(let names) = try await machine.provider.namesPlan(for: machine.site),
            case .changes(let storage) = try await machine.provider.storagePlan(for: machine.site)
        else { return #expect(Bool(false)) }
        // Without an address of its own the addon asks public resolvers.
        #expect(names.commands == ["/snap/bin/microk8s enable dns:10.99.0.2"])
        #expect(storage.commands == ["/snap/bin/microk8s enable hostpath-storage"])
        var site = machine.site
        site.settings.dnsUpstream = ["10.0.0.53", "10.0.0.54"]
        guard case .changes(let others) = try await machine.provider.namesPlan(for: site) else {
            return #expect(Bool(false))
        }
        #expect(others.commands == ["/snap/bin/microk8s enable dns:10.0.0.53,10.0.0.54"])
    }

    @Test func resolversThatNobodyAskedForAreTakenOut() async throws {
        let cluster = try running()
        try cluster.put(workload("Deployment", "coredns"))
        let configMap: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "coredns", "namespace": "kube-system"],
            "data": ["Corefile": ".:53 {\n    forward . 8.8.8.8 8.8.4.4\n    cache 30\n}\n"],
        ]
        try cluster.put(configMap)
        guard case .changes(let changes) = try await machine.provider.namesPlan(for: machine.site) else {
            return #expect(Bool(false))
        }
        #expect(changes.map(\.action.description) == ["apply kube-system ConfigMap/coredns"])
        guard case .apply(let manifest)? = changes.first?.action else { return }
        try await machine.site.kube().apply(manifest)
        #expect(try await machine.provider.namesPlan(for: machine.site) == .settled)
    }

    @Test func anImageThatTheConfigNamesIsPutIn() async throws {
        let cluster = try running()
        try cluster.put(workload("Deployment", "coredns"))
        var site = machine.site
        site.settings.corednsImage = "mirror.example.com/coredns:1.11.1"
        guard case .changes(let changes) = try await machine.provider.namesPlan(for: site),
            case .apply(let manifest)? = changes.first?.action
        else { return #expect(Bool(false)) }
        try await site.kube().apply(manifest)
        let deployment = try #require(cluster["/apis/apps/v1/namespaces/kube-system/deployments/coredns"])
        let container = deployment[["spec", "template", "spec", "containers"]]?.array?.first
        #expect(container?["image"] == "mirror.example.com/coredns:1.11.1")
        #expect(container?["args"] == ["-x"])
        #expect(try await machine.provider.namesPlan(for: site) == .settled)
    }

    private func workload(_ kind: String, _ name: String) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": .string(kind),
            "metadata": ["name": .string(name), "namespace": "kube-system"],
            "spec": [
                "template": [
                    "spec": ["containers": [["name": .string(name), "image": "docker.io/a/b:1", "args": ["-x"]]]]
                ]
            ],
        ]
    }
}

@Suite struct ExistingClusterTests {
    @Test func nothingOfItIsTouched() async throws {
        var machine = try TestMachine()
        machine.settings.clusterProvider = .existing
        machine.settings.kubeconfigFile = "/etc/rancher/k3s/k3s.yaml"
        machine.provider = machine.settings.provider
        #expect(machine.provider.socket == "/run/containerd/containerd.sock")
        #expect(machine.provider.helm == ["helm", "--kubeconfig", "/etc/rancher/k3s/k3s.yaml"])
        #expect(
            try await machine.provider.plan(for: machine.site)
                == .waits(for: "the cluster does not answer: there is no /etc/rancher/k3s/k3s.yaml yet"))
        let cluster = try StubCluster()
        machine.joins(cluster)
        #expect(try await machine.provider.plan(for: machine.site) == .settled)
        #expect(try await machine.provider.images(on: machine.site).images.isEmpty)
        #expect(try await machine.provider.networkPlan(for: machine.site) == .settled)
        await #expect(throws: InstallError.self) { try await machine.provider.namesPlan(for: machine.site) }
        let error = await #expect(throws: InstallError.self) {
            try await machine.provider.storagePlan(for: machine.site)
        }
        #expect(error?.description.contains("set SINGLEUSER_STORAGE_CLASS") == true)
        cluster["/api/v1/namespaces/kube-system/services/kube-dns"] = [:]
        cluster["/apis/storage.k8s.io/v1/storageclasses/microk8s-hostpath"] = [:]
        #expect(try await machine.provider.namesPlan(for: machine.site) == .settled)
        #expect(try await machine.provider.storagePlan(for: machine.site) == .settled)
        #expect(cluster.changed.isEmpty)
        #expect(machine.host.writes.isEmpty && machine.host.ran.isEmpty)
    }
}
