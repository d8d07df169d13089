import Crypto
import Hosts
import SystemPackage

/// What the record says that we put on the machine is gone, what stood there before stands there again, and nothing else
/// is touched. Of the worker's site.
struct CleanMachine: Stage {
    let name = "clean"
    let title = "Clean the machine up"
    var traces: [Trace]
    /// The users' volumes are put aside and not removed, and the agent's samples stay.
    var keepsData: Bool
    var record: Record

    /// Where users' volumes are kept.
    static let kept: FilePath = "/var/lib/jhub-kept"
    private static let volumes = MicroK8s.common.appending("default-storage")

    init(_ traces: [Trace], keepsData: Bool, record: Record) {
        (self.traces, self.keepsData, self.record) = (traces, keepsData, record)
    }

    func plan(for site: Site) async throws -> Plan {
        let host = site.node
        // In rounds: the snap's programs undo what only they can, and files go when nothing uses them.
        for round in [volumes, network, commands, files, agent, leftovers, folders] {
            let changes = try await round(host)
            guard changes.isEmpty else { return .changes(changes) }
        }
        return .settled
    }

    private func volumes(_ host: Host) async throws -> [Change] {
        guard keepsData, isOurs("microk8s"), try await host.transport.list(Self.volumes)?.isEmpty == false else {
            return []
        }
        let place = Self.kept.appending("volumes-\(try await host.now())")
        let folder = Directory(Self.kept, permissions: .ownerReadWriteExecute)
        return try await host.wants(folder, because: "the users' volumes are kept there") + [
            Change(
                .run(["mv", "--no-target-directory", Self.volumes.string, place.string]),
                because: "users' files are in it")
        ]
    }

    /// Kubernetes' and Calico's rules outlive their programs, and the programs to remove them go with the snap.
    private func network(_ host: Host) async throws -> [Change] {
        guard isOurs("microk8s"), try await isInstalled("microk8s", on: host) else { return [] }
        var changes: [Change] = []
        if try await host.learn(UnitState("snap.microk8s.daemon-kubelite")) == .active {
            changes.append(Change(.run(["snap", "stop", "microk8s"]), because: "it is removed"))
        }
        for table in try await PacketRules.all(on: host) where try await table.areThere(on: host) {
            changes.append(Change(.run(table.removal), because: "its rules for pods and services would stay"))
        }
        return changes
    }

    /// The commands that take back what a command made, the last first. Of several for one thing the first counts: it
    /// brings back what was not ours.
    private func commands(_ host: Host) async throws -> [Change] {
        var (changes, seen): ([Change], Set<[String]>) = ([], [])
        for trace in traces {
            guard case .ran(let undo) = trace.deed else { continue }
            let thing = undo.argv.map { String($0.prefix { $0 != "=" }) }
            guard seen.insert(thing).inserted, try await !isUndone(undo, on: host) else { continue }
            changes.insert(Change(.run(undo), because: "it was made for the cluster"), at: 0)
        }
        return changes
    }

    /// Whether what the command would bring about is so already. These are all that we record.
    private func isUndone(_ undo: Command, on host: Host) async throws -> Bool {
        switch undo.argv.first {
        case "snap" where undo.argv[1] == "remove":
            return try await !isInstalled(undo.argv.last ?? "", on: host)
        case "systemctl" where undo.argv[1] == "disable":
            return try await host.transport.run(["systemctl", "is-enabled", undo.argv.last ?? ""]).output.trimmed
                != "enabled"
        case "sysctl":
            guard let pair = undo.argv.last?.split(separator: "="), pair.count == 2 else { return true }
            // A setting that is gone with its module needs no value.
            return try await host.sysctl(String(pair[0])).map { "\($0)" == pair[1] } ?? true
        // A hold goes with its snap.
        default: return true
        }
    }

    private func files(_ host: Host) async throws -> [Change] {
        var (changes, seen): ([Change], Set<FilePath>) = ([], [])
        for trace in traces {
            guard case .wrote(let path, _, let before) = trace.deed, seen.insert(path).inserted else { continue }
            changes += try await restoring(path, to: before, on: host)
        }
        // Not for the agent's: it takes GPUs from containers that run, and systemd forgets a unit that stands still.
        let paths = changes.compactMap(\.action.path).filter { $0 != AgentFiles.unitFile }
        if paths.contains(where: { $0.starts(with: "/etc/systemd/system") }) {
            changes.append(Change(.run(["systemctl", "daemon-reload"]), because: "its units have changed"))
        }
        return changes
    }

    /// The first time that we wrote it is what counts: before it stood what was not ours.
    private func restoring(_ path: FilePath, to before: Trace.Before?, on host: Host) async throws -> [Change] {
        guard let now = try await host.transport.read(path) else { return [] }
        let old = before.flatMap { record.kept($0.hash) }
        if now == old { return [] }
        let ours = traces.contains { trace in
            if case .wrote(path, let hash, _) = trace.deed { hash == SHA256.hash(data: now).hexadecimal } else { false }
        }
        var text: [UInt8]
        if ours {
            guard let old else {
                // Its folder may stay: then it was there before, or holds what others put there.
                return before == nil ? [Change(.remove(path), because: "we wrote it")] : []
            }
            text = old
        } else {
            // Somebody else wrote into it since: only what stands between our marks is ours.
            let whole = String(decoding: now, as: UTF8.self)
            text = Array(Block.taken(from: whole).utf8)
            if text == now { return [] }
        }
        guard let state = try await host.transport.state(of: path) else { return [] }
        var file = File(
            path, "", permissions: before?.permissions ?? state.permissions, owner: before?.owner ?? state.owner)
        file.contents = text
        return [Change(.write(file), because: ours ? "it stood so before" : "a part of it was ours")]
    }

    /// The agent's program, and what it made by itself.
    private func agent(_ host: Host) async throws -> [Change] {
        let isOurs = traces.contains { trace in
            if case .wrote(AgentFiles.unitFile, _, _) = trace.deed { true } else { false }
        }
        guard isOurs else { return [] }
        var changes: [Change] = []
        // The record has no trace of what was sent.
        if try await host.has(AgentFiles.program) {
            changes.append(Change(.remove(AgentFiles.program), because: "it belongs to the unit, which we wrote"))
        }
        for folder in [AgentFiles.health] + (keepsData ? [] : [AgentFiles.samples]) where try await host.has(folder) {
            changes.append(Change(.run(["rm", "-rf", folder.string]), because: "the agent made it"))
        }
        return changes
    }

    /// MicroK8s' install hook and its first command make these, and its removal leaves them.
    private func leftovers(_ host: Host) async throws -> [Change] {
        guard isOurs("microk8s"), try await !isInstalled("microk8s", on: host) else { return [] }
        let own: FilePath = "/root/snap/microk8s"
        if try await host.has(own) {
            return [Change(.run(["rm", "-rf", own.string]), because: "MicroK8s made it")]
        }
        let folders: [FilePath] = [
            "/root/snap", "/etc/cni", "/opt/cni", "/opt/containerd/bin", "/opt/containerd/lib", "/opt/containerd",
        ]
        let changes = try await emptied(folders, on: host, because: "MicroK8s made it, and it is empty")
        let group = try await host.transport.run(["getent", "group", "microk8s"])
        guard group.status == 0, group.output.trimmed.hasSuffix(":") else { return changes }
        return changes + [Change(.run(["groupdel", "microk8s"]), because: "MicroK8s made it")]
    }

    /// The deepest first, and only those in which nothing is left.
    private func folders(_ host: Host) async throws -> [Change] {
        var folders: Set<FilePath> = []
        for trace in traces {
            let path: FilePath
            switch trace.deed {
            case .made(let folder):
                path = folder
                folders.insert(folder)
            case .wrote(let file, _, _): path = file
            case .ran: continue
            }
            var above = path.removingLastComponent()
            while let top = trace.top, above.starts(with: top) {
                folders.insert(above)
                above.removeLastComponent()
            }
        }
        let deepestFirst = folders.sorted { $0.components.count > $1.components.count }
        return try await emptied(deepestFirst, on: host, because: "we made it, and it is empty")
    }

    /// Those in which nothing is, or nothing but others of them that come before.
    private func emptied(_ folders: [FilePath], on host: Host, because reason: String) async throws -> [Change] {
        var gone: [FilePath] = []
        for folder in folders {
            guard let names = try await host.transport.list(folder) else { continue }
            if names.allSatisfy({ gone.contains(folder.appending($0)) }) { gone.append(folder) }
        }
        return gone.map { Change(.remove($0), because: reason) }
    }

    private func isOurs(_ snap: String) -> Bool {
        traces.contains { trace in
            if case .ran(let undo) = trace.deed {
                undo.argv.starts(with: ["snap", "remove"]) && undo.argv.last == snap
            } else {
                false
            }
        }
    }

    private func isInstalled(_ snap: String, on host: Host) async throws -> Bool {
        guard try await host.program("snap") != nil else { return false }
        return try await host.learn(InstalledSnaps()).contains { $0.name == snap }
    }
}

/// The kernel's packet rules that Kubernetes and its network made, known by their names.
private struct PacketRules {
    var save: FilePath
    var restore: FilePath

    private static let signs = "KUBE-|cali-|CNI-|generated for MicroK8s pods"

    /// The host's own programs, else the snap's; for IPv4 and IPv6.
    static func all(on host: Host) async throws -> [PacketRules] {
        let folders: [FilePath] = [
            "/usr/sbin", "/sbin", "/snap/microk8s/current/usr/sbin", "/snap/microk8s/current/sbin",
        ]
        var found: [PacketRules] = []
        for name in ["iptables", "ip6tables"] {
            for folder in folders where try await host.has(folder.appending("\(name)-save")) {
                found.append(
                    PacketRules(save: folder.appending("\(name)-save"), restore: folder.appending("\(name)-restore")))
                break
            }
        }
        return found
    }

    func areThere(on host: Host) async throws -> Bool {
        let outcome = try await host.transport.run([save.string])
        return outcome.output.lines.contains { line in
            Self.signs.split(separator: "|").contains { line.contains($0) }
        }
    }

    /// All rules but these, put in the place of all, at once.
    var removal: Command { ["sh", "-c", "\(save) | grep -vE '\(Self.signs)' | \(restore)"] }
}

extension Change.Action {
    /// The file that is written or removed.
    fileprivate var path: FilePath? {
        switch self {
        case .write(let file, _): file.path
        case .remove(let path): path
        default: nil
        }
    }
}
