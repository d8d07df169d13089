import Hosts
import Kube
import SystemPackage

/// A node that is to go, and what hangs on it.
package struct Departure: Sendable {
    package var name: String
    /// Nil where no inventory names the node: then nobody knows the way to it.
    package var entry: NodeEntry?
    /// It is no node any more, and what we put on the machine is to be cleaned up.
    package var isDeparted: Bool
    package var servers: [UserServer]
    /// Claims whose data lies on the machine's own disk, as NAMESPACE/NAME: without it their servers do not start.
    package var volumes: [String]
}

extension Workers {
    /// What a removal would mean. It only looks.
    package func departure(of name: String) async throws -> Departure {
        let list = try await NodeList.standing(on: site.head)
        let kube = try await site.kube()
        let departed = list.departed(name)
        let entry = list[name] ?? departed
        let node = entry?.name ?? name
        guard node != (try await site.head.hostname().lowercased()) else {
            throw InstallError.refused("\(node) is the head: the cluster ends with it")
        }
        guard try await kube.get("/api/v1/nodes/\(node)") != nil || entry != nil else {
            throw InstallError.refused("no node is called \(node): 'jhub-install nodes' lists them")
        }
        let claims = try await kube.list("/api/v1/persistentvolumes").filter { $0.isBound(to: node) }.compactMap(
            \.claim)
        return Departure(
            name: node, entry: entry, isDeparted: list[name] == nil && departed != nil,
            servers: try await site.servers(on: node), volumes: claims.sorted())
    }

    /// Takes the node out of the cluster and cleans its machine up; comes back with how many changes that took, and with
    /// what could not be done.
    package func remove(
        _ departure: Departure, keepingData: Bool, forced: Bool
    ) async throws -> (changes: Int, notes: [String]) {
        let (guest, reason) = try await reach(departure, forced: forced)
        var made = 0
        if guest != nil {
            made += try await carryOut([EmptyNode(node: departure.name, servers: departure.servers)], on: site)
        } else if !departure.servers.isEmpty {
            made += try await carryOut([EndServers(departure.servers, node: departure.name)], on: site)
        }
        if let guest { made += try await carryOut([LeaveCluster()], on: site(of: guest)) }
        made += try await carryOut([ForgetNode(departure.name), ForgetAgent(of: departure.name)], on: site)
        guard let entry = departure.entry else { return (made, [reason].compactMap(\.self)) }
        // From now on it is no node; it is remembered until it is clean.
        made += try await list { $0.drop(entry, isClean: false) }
        if let guest {
            made += try await clean(guest, keepingData: keepingData)
            made += try await list { $0.drop(entry, isClean: true) }
            await guest.connection.close()
        }
        return (made, [reason].compactMap(\.self) + (try await introduce([])))
    }

    /// The line to the machine, or why there is none where that is no reason to stop.
    private func reach(_ departure: Departure, forced: Bool) async throws -> (Guest?, String?) {
        guard let entry = departure.entry else {
            guard forced else {
                throw InstallError.refused(
                    "the inventory does not name \(departure.name), so nobody knows the way to it: "
                        + "enter it with add-node first, or say --force to remove it from the cluster alone")
            }
            return (nil, "\(departure.name) was not cleaned up: nobody knows the way to it")
        }
        do {
            return (try await greet(entry), nil)
        } catch {
            guard forced else {
                throw InstallError.refused(
                    "\(error); start the machine first, or say --force: then it is cleaned up once it is back")
            }
            return (
                nil,
                "\(entry.name) could not be cleaned up: \(error); 'jhub-install remove-node \(entry.name)' does it once it is back"
            )
        }
    }

    private func clean(_ guest: Guest, keepingData: Bool) async throws -> Int {
        let name = guest.entry.name
        let traces = try installer.record.traces(on: name)
        let stage = CleanMachine(traces, keepsData: keepingData, record: installer.record)
        let made = try await carryOut([stage], on: site(of: guest))
        try installer.record.close(name)
        return made
    }

    private func list(_ change: (inout NodeList) -> Void) async throws -> Int {
        var list = try await NodeList.standing(on: site.head)
        change(&list)
        return try await carryOut([KeepInventory(list), NameHosts()], on: site)
    }
}

/// The servers of a node that is out of reach: the hub lets go of them, so that their users can start others.
private struct EndServers: ClusterStage {
    let name = "servers"
    let title = "End the servers"
    let patience = Duration.seconds(60)
    var servers: [UserServer]
    var node: String

    init(_ servers: [UserServer], node: String) { (self.servers, self.node) = (servers, node) }

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        // A dead node's pods stay, marked for deletion, until the node itself is deleted.
        let pods = try await kube.list(
            "/api/v1/pods", labelSelector: "component=singleuser-server", fieldSelector: "spec.nodeName=\(node)")
        let running = pods.filter { $0[["metadata", "deletionTimestamp"]] == nil }.compactMap { UserServer($0) }
        return .of(running.filter { servers.contains($0) }.map { Change(.stop($0), because: "its node is removed") })
    }
}

extension JSON {
    /// A volume on that node's own disk.
    fileprivate func isBound(to node: String) -> Bool {
        let terms = self[["spec", "nodeAffinity", "required", "nodeSelectorTerms"]]?.array ?? []
        return terms.flatMap { $0["matchExpressions"]?.array ?? [] }.contains { expression in
            expression["key"] == "kubernetes.io/hostname"
                && expression["values"]?.array?.contains(.string(node)) == true
        }
    }

    /// The claim of a volume, as NAMESPACE/NAME.
    fileprivate var claim: String? {
        guard let claim = self[["spec", "claimRef"]], let name = claim["name"]?.string else { return nil }
        return "\(claim["namespace"]?.string ?? "")/\(name)"
    }
}
