import Hosts
import Images
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

/// The stages between the images and the hub, on a cluster that somebody else runs.
@Suite struct ClusterStagesTests {
    var machine: TestMachine
    let cluster: StubCluster

    init() throws {
        machine = try TestMachine()
        machine.provider = ExistingCluster(kubeconfig: "/etc/kubernetes/admin.conf", socket: "/s", helm: "helm")
        cluster = try StubCluster()
        machine.joins(cluster)
        cluster["/api/v1/namespaces/kube-system/services/kube-dns"] = [:]
        cluster["/apis/storage.k8s.io/v1/storageclasses/microk8s-hostpath"] = [:]
        try node(isReady: true)
    }

    private func node(isReady: Bool) throws {
        let condition: JSON = [
            "type": "Ready", "status": .string(isReady ? "True" : "False"), "message": "cni plugin not initialized",
        ]
        try cluster.put([
            "apiVersion": "v1", "kind": "Node", "metadata": ["name": "head"], "status": ["conditions": [condition]],
        ])
    }

    private func calico(_ kind: String, _ name: String, isReady: Bool = true) throws {
        let count: JSON = isReady ? 1 : 0
        try cluster.put([
            "apiVersion": "apps/v1", "kind": .string(kind),
            "metadata": ["name": .string(name), "namespace": "kube-system", "generation": 1],
            "spec": [
                "replicas": 1, "selector": ["matchLabels": ["k8s-app": .string(name)]],
                "template": [
                    "spec": [
                        "containers": [["name": .string(name), "image": "docker.io/calico/node:v3.25.1"]],
                        "initContainers": [["name": "install-cni", "image": "docker.io/calico/cni:v3.25.1"]],
                    ]
                ],
            ],
            "status": [
                "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": count,
                "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": count,
            ],
        ])
    }

    private func need(of stage: any Stage, on site: Site? = nil) async throws -> String {
        guard case .waits(let need) = try await stage.plan(for: site ?? machine.site) else { return "nothing" }
        return need
    }

    private func install(_ stage: any Stage) async throws -> Int {
        try await Installer(stages: [stage], record: machine.record).run(on: machine.site)
    }

    @Test(arguments: [ConnectNetwork() as any Stage, ServeNames(), KeepStorage(), InstallHub()])
    func withoutAClusterAStageWaitsForIt(_ stage: any Stage) async throws {
        machine.host["/etc/kubernetes/admin.conf"] = nil
        #expect(try await need(of: stage) == "the cluster does not answer: there is no /etc/kubernetes/admin.conf yet")
        machine.joins(cluster)
        cluster.trouble = "etcd"
        #expect(try await need(of: stage).hasSuffix("the API server is not ready: etcd failed: reason withheld"))
    }

    @Test func aNodeThatIsNotReadyIsNamedWithTheCause() async throws {
        try node(isReady: false)
        #expect(try await need(of: ConnectNetwork()) == "node head is not ready: cni plugin not initialized")
        try node(isReady: true)
        #expect(try await ConnectNetwork().plan(for: machine.site) == .settled)
        try calico("DaemonSet", "calico-node", isReady: false)
        #expect(try await need(of: ConnectNetwork()) == "kube-system DaemonSet/calico-node: 0 of 1 pods are available")
    }

    @Test func calicosImagesAreNamedAsQuaysWhereTheConfigSaysSo() async throws {
        var machine = machine
        machine.settings.patchCalico = true
        try calico("DaemonSet", "calico-node")
        try calico("Deployment", "calico-kube-controllers")
        let stage = ConnectNetwork()
        let changes = try await machine.changes(of: stage)
        #expect(
            changes.map(\.action.description) == [
                "apply kube-system DaemonSet/calico-node", "apply kube-system Deployment/calico-kube-controllers",
            ])
        #expect(try await Installer(stages: [stage], record: machine.record).run(on: machine.site) == 2)
        let daemons = cluster["/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"]
        let pod = daemons?[["spec", "template", "spec"]]
        #expect(pod?["containers"] == [["name": "calico-node", "image": "quay.io/calico/node:v3.25.1"]])
        #expect(pod?["initContainers"] == [["name": "install-cni", "image": "quay.io/calico/cni:v3.25.1"]])
        #expect(try await stage.plan(for: machine.site) == .settled)
    }

    @Test(arguments: [
        ("docker.io/calico/node:v3", "quay.io/calico/node:v3"),
        ("docker.io/coredns/coredns:1", "docker.io/coredns/coredns:1"),
        ("mirror.example/calico/node:v3", "mirror.example/calico/node:v3"),
    ])
    func onlyCalicosNamesBecomeQuays(_ name: String, quay: String) throws {
        #expect(try ImageReference(parsing: name).calicoFromQuay.description == quay)
    }

    @Test func namesWaitForTheirServer() async throws {
        #expect(try await ServeNames().plan(for: machine.site) == .settled)
        try calico("Deployment", "coredns", isReady: false)
        #expect(
            try await need(of: ServeNames()) == "kube-system Deployment/coredns: 0 of 1 replicas are available")
    }

    @Test func storageIsKeptAndThenSettled() async throws {
        let changes = try await machine.changes(of: KeepStorage())
        #expect(
            changes.map(\.action.description) == [
                "make the folder /var/lib/jhub/storage (0755)", "apply Namespace/jhub",
                "apply PersistentVolume/storage-local-pv", "apply jhub PersistentVolumeClaim/storage-local-pvc",
                "apply jhub NetworkPolicy/singleuser-isolation",
            ])
        #expect(try await install(KeepStorage()) == 5)
        #expect(try await install(KeepStorage()) == 0)
        #expect(
            machine.host.made == [Directory("/var/lib/jhub/storage", permissions: FilePermissions(rawValue: 0o755))])
    }

    @Test func eachDamageGivesJustItsChange() async throws {
        _ = try await install(KeepStorage())
        let policy = "/apis/networking.k8s.io/v1/namespaces/jhub/networkpolicies/singleuser-isolation"
        cluster[policy] = nil
        #expect(
            try await machine.changes(of: KeepStorage()).map(\.description) == [
                "apply jhub NetworkPolicy/singleuser-isolation ((absent))"
            ])
        _ = try await install(KeepStorage())
        var claim = try #require(cluster["/api/v1/persistentvolumes/storage-local-pv"]?.object)
        claim["spec"] = claim["spec"].map { spec in
            var spec = spec.object ?? [:]
            spec["persistentVolumeReclaimPolicy"] = "Delete"
            return .object(spec)
        }
        cluster["/api/v1/persistentvolumes/storage-local-pv"] = .object(claim)
        #expect(
            try await machine.changes(of: KeepStorage()).map(\.description)
                == ["apply PersistentVolume/storage-local-pv (spec.persistentVolumeReclaimPolicy)"])
    }

    @Test func aFolderThatStandsIsLeftAsItIs() async throws {
        machine.host.place(
            .directory(FilePermissions(rawValue: 0o2770), Owner(user: 7, group: 8)), at: "/var/lib/jhub/storage")
        #expect(try await machine.changes(of: KeepStorage()).allSatisfy { !$0.description.contains("folder") })
    }

    @Test func aVolumeDoesNotMoveByItself() async throws {
        _ = try await install(KeepStorage())
        var machine = machine
        machine.settings.sharedStoragePath = "/srv/jhub"
        let error = await #expect(throws: InstallError.self) { try await KeepStorage().plan(for: machine.site) }
        #expect(
            error?.description.contains(
                "the volume storage-local-pv lies in /var/lib/jhub/storage, and the config wants /srv/jhub") == true)
    }

    @Test func whatTheConfigTurnsOffGoesAndVolumesStay() async throws {
        var machine = machine
        machine.settings.enableResourceQuota = true
        machine.settings.singleuserMountJhubLogs = true
        let installer = Installer(stages: [KeepStorage()], record: machine.record)
        try await installer.run(on: machine.site)
        machine.settings.enableResourceQuota = false
        machine.settings.enableNetworkPolicy = false
        machine.settings.singleuserMountJhubLogs = false
        machine.settings.sharedStorageEnabled = false
        #expect(
            try await machine.changes(of: KeepStorage()).map(\.description) == [
                "delete jhub ResourceQuota/jhub-quota (ENABLE_RESOURCE_QUOTA is off)",
                "delete jhub LimitRange/jhub-defaults (ENABLE_RESOURCE_QUOTA is off)",
                "delete jhub NetworkPolicy/singleuser-isolation (ENABLE_NETWORK_POLICY is off)",
            ])
        #expect(try await installer.run(on: machine.site) == 3)
        #expect(try await KeepStorage().plan(for: machine.site) == .settled)
        #expect(cluster["/api/v1/persistentvolumes/jhub-logs-pv"] != nil)
        #expect(cluster["/api/v1/namespaces/jhub/persistentvolumeclaims/storage-local-pvc"] != nil)
    }

    @Test func aQuotaOfSomebodyElsesStays() async throws {
        _ = try await install(KeepStorage())
        try cluster.put([
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": [
                "name": "jhub-quota", "namespace": "jhub", "labels": ["app.kubernetes.io/managed-by": "Helm"],
            ],
        ])
        #expect(try await KeepStorage().plan(for: machine.site) == .settled)
    }

    @Test func limitsAndLogsAreMadeWhereTheConfigSaysSo() async throws {
        var machine = machine
        machine.settings.enableResourceQuota = true
        machine.settings.singleuserMountJhubLogs = true
        machine.settings.enableNetworkPolicy = false
        machine.settings.sharedStorageEnabled = false
        machine.settings.jhubNs = "hub"
        #expect(
            try await machine.changes(of: KeepStorage()).map(\.action.description) == [
                "make the folder /var/log/jupyterhub (0755)", "apply Namespace/hub",
                "apply PersistentVolume/jhub-logs-pv", "apply hub PersistentVolumeClaim/jhub-logs-pvc",
                "apply hub ResourceQuota/jhub-quota", "apply hub LimitRange/jhub-defaults",
            ])
    }
}
