import Hosts
import Kube
import SystemPackage

extension Site {
    /// Where a file of the bundle lies for programs of the node: on the head where it is, on a worker where it was carried.
    func place(of file: FilePath) -> FilePath {
        guard worker != nil, let name = file.lastComponent else { return file }
        return NodeFolder.carried.appending(name)
    }
}

extension MicroK8s {
    /// Where a worker stands with regard to clusters.
    enum Membership: Hashable {
        case none
        /// A worker of this head's cluster, as the authority tells that it trusts.
        case ours
        case others
    }

    func membership(of site: Site) async throws -> Membership {
        guard try await site.node.has(Self.data.pushing("var/lock/clustered.lock")) else { return .none }
        let theirs = try await site.node.text(of: Self.data.pushing("certs/ca.remote.crt"))
        let ours = try await site.head.text(of: Self.data.pushing("certs/ca.crt"))
        return theirs?.trimmed == ours?.trimmed ? .ours : .others
    }

    /// On a worker: installed, held and started, as far as a node needs it before it joins and after.
    func workerPlan(for site: Site) async throws -> Plan {
        let installed = try await site.node.learn(InstalledSnaps())
        guard let microk8s = installed.first(where: { $0.name == "microk8s" }) else {
            return .changes(try await install(on: site, beside: installed))
        }
        let daemons = try await membership(of: site) == .none ? Self.daemons : Self.workerDaemons
        let changes = try await removeCarried(from: site) + hold(microk8s) + start(daemons, on: site)
        guard changes.isEmpty else { return .changes(changes) }
        guard try await site.node.has(socket) else { return .waits(for: "containerd's socket \(socket)") }
        return .settled
    }

    /// What runs on a node that has joined.
    private static let workerDaemons = ["containerd", "kubelite", "cluster-agent", "apiserver-proxy"]

    /// snapd has copies of its own. Not as removals, of which the record keeps what is removed.
    private func removeCarried(from site: Site) async throws -> [Change] {
        guard try await site.node.has(NodeFolder.carried) else { return [] }
        let remove: Command = ["rm", "-rf", NodeFolder.carried.string]
        return [Change(.run(remove), because: "it was carried for the installation")]
    }

    /// What the node lacks to belong to this cluster.
    func joinPlan(for site: Site, _ worker: Worker, in kube: KubeClient) async throws -> Plan {
        let name = worker.entry.name
        let node = try await kube.get("/api/v1/nodes/\(name)")
        if let node, let address = node.internalAddress, address != worker.entry.address {
            throw InstallError.refused(
                "the cluster has a node \(name) already, at \(address): give this machine another name with hostnamectl, "
                    + "or remove that node first")
        }
        switch try await membership(of: site) {
        case .others:
            throw InstallError.refused(
                "\(name) is a worker of another MicroK8s cluster: take it out of that one with '\(Self.program) leave' on it"
            )
        case .ours:
            guard node == nil else { return .settled }
            let restart: Command = ["snap", "restart", "microk8s.daemon-kubelite"]
            return .changes([Change(.run(restart), because: "it has joined, and the cluster does not list it")])
        case .none:
            let ghost = Manifest(["apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(name)]])
            guard node == nil else {
                return .changes([Change(.delete(ghost), because: "the cluster lists it, and it has not joined")])
            }
            let join = Join(node: name, head: try await NodeAddress.of(site.ofHead))
            return .changes([Change(.join(join), because: "it has not joined the cluster")])
        }
    }

    /// A join replaces the kubelet's arguments by the head's, with an address that it guesses.
    func kubeletChanges(on site: Site, _ worker: Worker) async throws -> [Change] {
        let path = Self.data.pushing("args/kubelet")
        guard let old = try await site.node.text(of: path), let state = try await site.node.transport.state(of: path)
        else { return [] }
        let wanted = LaunchConfiguration.kubelet(address: worker.entry.address)
        var lines = old.lines.filter { line in !wanted.contains { line.trimmed.hasPrefix($0.name + "=") } }
        lines += wanted.map { "\($0.name)=\($0.value)" }
        guard Set(lines.map(\.trimmed)) != Set(old.lines.map(\.trimmed)) else { return [] }
        let file = File(
            path, lines.joined(separator: "\n") + "\n", permissions: state.permissions, owner: state.owner)
        let reason = "its kubelet has other arguments than this cluster's"
        // In this order a run that is broken off leaves nothing that the next one does not see.
        return [
            Change(.run(["snap", "stop", "microk8s.daemon-kubelite"]), because: reason),
            Change(.write(file), because: reason),
            Change(.run(["snap", "start", "microk8s.daemon-kubelite"]), because: "its arguments have changed"),
        ]
    }
}

extension Site {
    /// The same, for the head itself.
    var ofHead: Site {
        var site = self
        site.worker = nil
        return site
    }
}

extension JSON {
    /// The address under which the cluster knows a Node.
    var internalAddress: String? {
        let addresses = self[["status", "addresses"]]?.array ?? []
        return addresses.first { $0["type"]?.string == "InternalIP" }?["address"]?.string
    }
}
