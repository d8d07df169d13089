import HTTP
import Hosts
import Kube
import SystemPackage

/// The agent that tells what the GPUs of the node are, do and suffer: its credential, its program, its unit.
///
/// systemd is never told to load its units anew: that takes GPUs away from containers that run
/// (NVIDIA/nvidia-container-toolkit#48). A unit that is new needs no such thing, and this one has all that may change
/// in a file beside it.
package struct InstallAgent: ClusterStage {
    package let name = "agent"
    package let title = "Watch the GPUs"
    package let patience = Duration.seconds(60)
    package init() {}

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        let node = try await site.node.hostname().lowercased()
        let manifests = try AgentFiles.credential(of: node, on: site)
        guard site.settings.enableAgent else { return try await withdraw(manifests, on: site, in: kube) }
        var changes: [Change] = []
        for manifest in manifests {
            let fields = try await kube.wouldChange(manifest)
            if !fields.isEmpty { changes.append(Change(.apply(manifest), because: fields.joined(separator: ", "))) }
        }
        guard changes.isEmpty else { return .changes(changes) }
        guard let access = try await access(node, in: kube) else {
            return .waits(for: "the token of the service account \(AgentFiles.namespace)/\(node)")
        }
        let files = AgentFiles(access: access, address: try await NodeAddress.of(site))
        let missing = try await files.missing(on: site)
        guard missing.isEmpty else { return .changes(try await exchange(missing, on: site)) }
        let started = try await start(on: site)
        guard started.isEmpty else { return .changes(started) }
        return await answer(site, files.address)
    }

    /// Stopped first: where a run is broken off in between, the next one finds it stopped, and starts it.
    private func exchange(_ files: [Change], on site: Site) async throws -> [Change] {
        var changes: [Change] = []
        if try await site.node.learn(UnitState(AgentFiles.unit)) != .inactive {
            let stop: Command = ["systemctl", "stop", AgentFiles.unit]
            changes.append(Change(.run(stop), because: "its program or its settings change"))
        }
        changes += files
        changes += try await start(on: site, isStopped: true)
        return changes
    }

    private func start(on site: Site, isStopped: Bool = false) async throws -> [Change] {
        var changes: [Change] = []
        if try await site.node.transport.state(of: AgentFiles.startsAtBoot) == nil {
            let enable: Command = ["systemctl", "enable", "--no-reload", AgentFiles.unit]
            let disable: Command = ["systemctl", "disable", "--no-reload", "--now", AgentFiles.unit]
            changes.append(Change(.run(enable, undo: disable), because: "it must watch after a reboot"))
        }
        let state = try await site.node.learn(UnitState(AgentFiles.unit))
        if isStopped || state == .inactive || state == .failed {
            let start: Command = ["systemctl", "start", AgentFiles.unit]
            changes.append(Change(.run(start), because: "nothing watches the GPUs"))
        }
        return changes
    }

    private func access(_ node: String, in kube: KubeClient) async throws -> AgentFiles.Access? {
        let path = "/api/v1/namespaces/\(AgentFiles.namespace)/secrets/\(node)"
        guard let data = try await kube.get(path)?["data"],
            let token = data["token"]?.string.flatMap(Base64.decoded),
            let authority = data["ca.crt"]?.string.flatMap(Base64.decoded)
        else { return nil }
        return AgentFiles.Access(
            server: kube.config.server, node: node, authority: String(decoding: authority, as: UTF8.self),
            token: String(decoding: token, as: UTF8.self))
    }

    private func answer(_ site: Site, _ address: String) async -> Plan {
        let url = "http://\(address):\(site.settings.agentPort)/healthz"
        do {
            let status = try await site.http.send(HTTPRequest("GET", url, limit: .seconds(5))).status
            return status == 200 ? .settled : .waits(for: "\(url), which answers \(status)")
        } catch {
            return .waits(for: error.description)
        }
    }

    /// It was asked for once, and no more. What it recorded stays.
    private func withdraw(_ manifests: [Manifest], on site: Site, in kube: KubeClient) async throws -> Plan {
        var changes: [Change] = []
        let reason = "ENABLE_AGENT is off"
        let transport = site.node.transport
        if try await transport.state(of: AgentFiles.unitFile) != nil {
            let disable: Command = ["systemctl", "disable", "--no-reload", "--now", AgentFiles.unit]
            changes.append(Change(.run(disable), because: reason))
        }
        for path in AgentFiles.all where try await transport.state(of: path) != nil {
            changes.append(Change(.remove(path), because: reason))
        }
        return .of(changes + (try await kube.withdrawal(of: manifests, because: reason)))
    }
}

/// The cluster has no credential for the agent of a node that is none any more. Of the head's site.
struct ForgetAgent: ClusterStage {
    let name = "forget-agent"
    let title = "Forget the node's agent"
    var node: String

    init(of node: String) { self.node = node }

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        let manifests = try AgentFiles.credential(of: node, on: site)
        return .of(try await kube.withdrawal(of: manifests, because: "its node is removed"))
    }
}

extension AgentFiles {
    /// What the agent of a node has in the cluster.
    fileprivate static func credential(of node: String, on site: Site) throws -> [Manifest] {
        try site.template("agent", ["NODE": .string(node), "NAMESPACE": .string(namespace)])
    }
}

extension KubeClient {
    /// The namespace stays: other nodes' agents may have their credentials in it.
    fileprivate func withdrawal(of manifests: [Manifest], because reason: String) async throws -> [Change] {
        var changes: [Change] = []
        for manifest in manifests.reversed() where manifest.kind != "Namespace" {
            if try await get(manifest) != nil { changes.append(Change(.delete(manifest), because: reason)) }
        }
        return changes
    }
}
