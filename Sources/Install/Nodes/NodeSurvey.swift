import Hosts
import Kube

/// What the cluster, the inventory and the machine itself say of one node.
package struct NodeView: Sendable, Equatable {
    package enum InCluster: Hashable, Sendable {
        case absent, ready, cordoned
        case notReady(String)
    }

    package enum OnMachine: Hashable, Sendable {
        /// The head, or a machine that no inventory names.
        case notAsked
        case joined, notJoined, elsewhere
        case unreachable(String)
    }

    package var name: String
    package var address: String
    package var isHead: Bool
    package var isListed: Bool
    /// It was removed while it could not be reached, and what we put there is there still.
    package var isDeparted: Bool
    package var cluster: InCluster
    package var machine: OnMachine

    /// Where the three disagree, and what to do; none where they agree.
    package var disagreements: [String] {
        var lines: [String] = []
        if isDeparted {
            lines.append(
                "removed while out of reach: once it is back, 'jhub-install remove-node \(name)' cleans it up, "
                    + "and 'jhub-install add-node \(name)' makes it a node again")
        }
        if isListed, cluster == .absent {
            lines.append("in the inventory, not in the cluster: 'jhub-install add-node \(name)' joins it again")
        }
        if !isListed, !isHead, !isDeparted, cluster != .absent {
            lines.append("in the cluster, not in the inventory: 'jhub-install add-node \(address)' enters it")
        }
        switch (machine, cluster) {
        case (.elsewhere, _): lines.append("a worker of another cluster now")
        case (.notJoined, let state) where state != .absent:
            lines.append("in the cluster, and the machine has not joined: 'jhub-install add-node \(name)' mends it")
        case (.joined, .absent) where !isListed: lines.append("has joined, and nobody lists it")
        case (.unreachable(let reason), _) where isListed: lines.append("cannot be reached: \(reason)")
        default: break
        }
        if case .notReady(let reason) = cluster { lines.append(reason) }
        return lines
    }
}

extension Workers {
    /// Every node that anybody knows of, the head first. It only looks.
    package func survey() async throws -> [NodeView] {
        let list = try await NodeList.standing(on: site.head)
        let kube = try await site.kube()
        var nodes: [String: JSON] = [:]
        for node in try await kube.list("/api/v1/nodes") { nodes[node[["metadata", "name"]]?.string ?? ""] = node }
        let head = try await site.head.hostname().lowercased()
        let entries = list.nodes + list.departed
        let states = await sideBySide(entries, atMost: parallel) { await state(of: $0) }
        let known = Dictionary(zip(entries.map(\.name), zip(entries, states))) { first, _ in first }
        let names = [head] + Set(nodes.keys).union(known.keys).subtracting([head]).sorted()
        return names.map { name in
            NodeView(
                name: name, address: known[name]?.0.address ?? nodes[name]?.internalAddress ?? "-",
                isHead: name == head,
                isListed: list[name] != nil, isDeparted: list.departed.contains { $0.name == name },
                cluster: nodes[name].map(Self.state(of:)) ?? .absent, machine: known[name]?.1 ?? .notAsked)
        }
    }

    private static func state(of node: JSON) -> NodeView.InCluster {
        if let reason = Readiness(of: node).reason { return .notReady(reason) }
        return node[["spec", "unschedulable"]]?.bool == true ? .cordoned : .ready
    }

    private func state(of entry: NodeEntry) async -> NodeView.OnMachine {
        do {
            let connection = try await open(entry)
            var site = site
            site.worker = Worker(host: Host(name: entry.name, transport: connection), entry: entry)
            let membership = try await MicroK8s().membership(of: site)
            await connection.close()
            switch membership {
            case .ours: return .joined
            case .none: return .notJoined
            case .others: return .elsewhere
            }
        } catch {
            return .unreachable("\(error)")
        }
    }
}
