import Hosts
import Kube
package import SystemPackage

/// MicroK8s, from the snaps of the bundle. Always by absolute path, always by reading its answers:
/// some of its commands say 0 when they failed.
package struct MicroK8s: Provider {
    package let kubeconfig: FilePath = "/var/snap/microk8s/current/credentials/client.config"
    package let helm = ["/snap/bin/microk8s", "helm3"]
    package let socket: FilePath = "/var/snap/microk8s/common/run/containerd.sock"
    package let imageRoot: FilePath = "/var/snap/microk8s/common"

    static let program = "/snap/bin/microk8s"
    static let data: FilePath = "/var/snap/microk8s/current"
    static let common: FilePath = "/var/snap/microk8s/common"

    package init() {}

    package func plan(for site: Site) async throws -> Plan {
        guard site.worker == nil else { return try await workerPlan(for: site) }
        let transport = site.node.transport
        if try await transport.state(of: Self.data.pushing("var/lock/clustered.lock")) != nil {
            throw InstallError.refused(
                "\(site.node.name) is a worker of another MicroK8s cluster: run jhub-install on that cluster's head, "
                    + "or take this machine out of it with '\(Self.program) leave'")
        }
        let installed = try await site.node.learn(InstalledSnaps())
        guard let microk8s = installed.first(where: { $0.name == "microk8s" }) else {
            return .changes(try await install(on: site, beside: installed))
        }
        let changes = hold(microk8s) + (try await start(Self.daemons, on: site))
        guard changes.isEmpty else { return .changes(changes) }
        return try await answer(site)
    }

    func hold(_ microk8s: InstalledSnaps.Snap) -> [Change] {
        guard !microk8s.isHeld else { return [] }
        let hold: Command = ["snap", "refresh", "--hold", "microk8s"]
        let unhold: Command = ["snap", "refresh", "--unhold", "microk8s"]
        return [Change(.run(hold, undo: unhold), because: "a refresh by itself would restart the cluster")]
    }

    /// The snaps in order: snapd, the bases, MicroK8s. The launch configuration must lie there before.
    func install(on site: Site, beside installed: [InstalledSnaps.Snap]) async throws -> [Change] {
        let snaps = try site.bundle.snaps()
        guard snaps.contains(where: { $0.name == "microk8s" }) else {
            throw InstallError.refused(
                "MicroK8s is not installed and there is no microk8s_REVISION.snap in \(site.bundle.path.appending("snaps"))"
            )
        }
        let ranks = ["snapd": 0, "microk8s": 2]
        let order = snaps.sorted { (ranks[$0.name] ?? 1, $0.name) < (ranks[$1.name] ?? 1, $1.name) }
        let configuration = File(
            Self.common.appending(".microk8s.yaml"), LaunchConfiguration(address: try await NodeAddress.of(site)).yaml)
        var changes = try await site.node.wants(configuration, because: "MicroK8s reads it when it is installed")
        if site.worker != nil {
            let folder = Directory(NodeFolder.carried, permissions: .ownerReadWriteExecute)
            changes += try await site.node.wants(folder, because: "the snaps are carried into it")
        }
        for snap in order where !installed.contains(where: { $0.name == snap.name }) {
            guard let assertion = snap.assertion else {
                throw InstallError.refused("\(snap.file) has no .assert file beside it, so snapd will not take it")
            }
            let (file, ack) = (site.place(of: snap.file), site.place(of: assertion))
            if site.worker != nil {
                let reason = "\(snap.name) is not installed"
                changes += [
                    Change(.send(assertion, to: ack), because: reason),
                    Change(.send(snap.file, to: file), because: reason),
                ]
            }
            changes.append(
                Change(.run(["snap", "ack", ack.string]), because: "snapd must know who signed \(snap.name)"))
            var command: Command = ["snap", "install", file.string]
            if snap.name == "microk8s" { command.argv.append("--classic") }
            let remove: Command = ["snap", "remove", "--purge", snap.name]
            changes.append(Change(.run(command, undo: remove), because: "\(snap.name) is not installed"))
        }
        let again: Command = ["sysctl", "-q", "--load=\(KernelSettings.file)"]
        changes.append(Change(.run(again), because: "the snap's install hook sets some of the kernel's settings lower"))
        return changes
    }

    static let daemons = ["containerd", "k8s-dqlite", "kubelite", "cluster-agent", "apiserver-kicker"]

    /// What was stopped is started; nothing is ever reset.
    func start(_ daemons: [String], on site: Site) async throws -> [Change] {
        let transport = site.node.transport
        if try await transport.state(of: Self.data.pushing("var/lock/stopped.lock")) != nil {
            return [Change(.run([Self.program, "start"]), because: "MicroK8s was stopped")]
        }
        var changes: [Change] = []
        for daemon in daemons {
            let state = try await site.node.learn(UnitState("snap.microk8s.daemon-\(daemon)"))
            guard state == .inactive || state == .failed else { continue }
            changes.append(
                Change(
                    .run(["snap", "start", "--enable", "microk8s.daemon-\(daemon)"]),
                    because: "\(daemon) is \(state.rawValue)"))
        }
        return changes
    }

    /// Running. Its first pods need images that cannot be pulled; then the API, then its rules of access.
    private func answer(_ site: Site) async throws -> Plan {
        if case .failure(let error) = try await site.liveKube() {
            guard try await site.node.transport.state(of: socket) != nil else {
                return .waits(for: "containerd's socket \(socket)")
            }
            let first = try await site.loads(of: try await firstImages(on: site))
            return first.isEmpty ? .waits(for: error.description) : .changes(first)
        }
        return try await accessRules(on: site)
    }

    /// RBAC, where it is not on: in the arguments, or in what runs, which may have been started with others.
    private func accessRules(on site: Site) async throws -> Plan {
        let path = Self.data.pushing("args/kube-apiserver")
        let arguments = try await text(of: "args/kube-apiserver", on: site)
        let ruled = arguments.replacing("--authorization-mode=AlwaysAllow", with: "--authorization-mode=RBAC,Node")
        let kube = try await site.kube()
        let isOpen = try await kube.letsAnybodyIn()
        guard isOpen || ruled != arguments, let state = try await site.node.transport.state(of: path) else {
            return .settled
        }
        let reason = "every pod's token may do anything without RBAC"
        // The addon takes this role for itself: where RBAC was on once, it says "already enabled" and does nothing.
        let role = try await kube.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin")
        guard role != nil else {
            // It changes the arguments of each node that the cluster knows: of none, as long as ours has not registered.
            let node = try await site.node.hostname().lowercased()
            guard try await kube.get("/api/v1/nodes/\(node)") != nil else {
                return .waits(for: "the node \(node) to register with the API server")
            }
            return .changes([Change(.run([Self.program, "enable", "rbac"]), because: reason)])
        }
        let file = File(path, ruled, permissions: state.permissions, owner: state.owner)
        // In this order a run that is broken off leaves nothing that the next one does not see.
        return .changes(
            [Change(.run(["snap", "stop", "microk8s.daemon-kubelite"]), because: reason)]
                + (try await site.node.wants(file, because: reason))
                + [Change(.run(["snap", "start", "microk8s.daemon-kubelite"]), because: "its arguments have changed")])
    }
}

extension MicroK8s {
    /// A text of the snap's data folder; empty where there is none.
    func text(of path: FilePath, on site: Site) async throws -> String {
        String(decoding: try await site.node.transport.read(Self.data.pushing(path)) ?? [], as: UTF8.self)
    }
}

/// What MicroK8s is told before its first start. An own file replaces the default one,
/// so the two arguments for DNS are repeated here; addons are turned on by the stages that need them.
struct LaunchConfiguration {
    /// By its first line a file of ours is known.
    static let mark = "# Written by jhub-install."
    var address: String

    /// What our kubelets are told beside MicroK8s' own arguments.
    static func kubelet(address: String) -> [(name: String, value: String)] {
        [("--cluster-dns", "10.152.183.10"), ("--cluster-domain", "cluster.local"), ("--node-ip", address)]
    }

    var yaml: String {
        """
        \(Self.mark)
        version: 0.1.0
        extraKubeletArgs:
        \(Self.kubelet(address: address).map { "  \($0.name): \($0.value)" }.joined(separator: "\n"))
        extraKubeAPIServerArgs:
          --advertise-address: \(address)
        extraSANs:
          - \(address)

        """
    }
}
