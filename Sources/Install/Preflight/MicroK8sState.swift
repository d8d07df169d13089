import Hosts
import SystemPackage

struct RightMicroK8s: Check {
    let id = "mk8s.present"
    let title = "A MicroK8s that is already here is of our track"
    /// What the charts and the values were tried with.
    static let track = "1.30"

    func finding(on site: Site) async throws -> Finding {
        let needs = "none, \(Self.track), or the bundle's revision"
        guard let snap = try await site.snaps().first(where: { $0.name == "microk8s" }) else {
            return .passed("none", needs: needs)
        }
        let measured = "\(snap.version), revision \(snap.revision)"
        let carried = try site.bundle.snaps().first { $0.name == "microk8s" }?.revision
        if snap.revision == carried || Version(snap.version).numbers.prefix(2) == Version(Self.track).numbers[...] {
            return .passed(measured, needs: needs)
        }
        return .failed(
            measured, needs: needs,
            fix:
                "use it as it is with CLUSTER_PROVIDER=existing, or bring it to \(Self.track) yourself: it is never replaced by us"
        )
    }
}

struct NotSomebodysWorker: Check {
    let id = "mk8s.clustered"
    let title = "This machine is no worker of another cluster"

    func finding(on site: Site) async throws -> Finding {
        try await site.node.has("/var/snap/microk8s/current/var/lock/clustered.lock")
            ? .failed(
                "it is (clustered.lock)", needs: "no clustered.lock",
                fix: "run jhub-install on that cluster's head; or take this machine out of it: /snap/bin/microk8s leave"
            )
            : .passed("it is none", needs: "no clustered.lock")
    }
}

struct MicroK8sRuns: Check {
    let id = "mk8s.running"
    let title = "A MicroK8s that is already here runs"

    func finding(on site: Site) async throws -> Finding {
        let needs = "not stopped, and no daemon failed"
        guard try await site.snaps().contains(where: { $0.name == "microk8s" }) else {
            return .passed("none", needs: needs)
        }
        if try await site.node.has("/var/snap/microk8s/current/var/lock/stopped.lock") {
            return .warning("stopped", needs: needs, fix: "stage cluster starts it; by hand: /snap/bin/microk8s start")
        }
        let daemons = ["containerd", "k8s-dqlite", "kubelite", "cluster-agent"].map {
            "snap.microk8s.daemon-\($0).service"
        }
        let states = try await site.node.learn(UnitStates(daemons))
        let ill = daemons.filter { states[$0].map { $0.active != "active" && $0.active != "activating" } ?? false }
        guard !ill.isEmpty else { return .passed("runs", needs: needs) }
        return .warning(
            ill.map { "\($0) is \(states[$0]?.active ?? "")" }.joined(separator: ", "), needs: needs,
            fix: "stage cluster starts it; why it ended: journalctl -u \(ill[0]) -n 50")
    }
}

struct NoLeftovers: Check {
    let id = "mk8s.leftover"
    let title = "Nothing is left of a MicroK8s that was removed"

    func finding(on site: Site) async throws -> Finding {
        if try await site.snaps().contains(where: { $0.name == "microk8s" }) {
            return .passed("MicroK8s is installed", needs: "nothing")
        }
        var found: [String] = []
        for path: FilePath in ["/var/snap/microk8s/common/var/lib/containerd", "/var/snap/microk8s/current"]
        where try await site.node.has(path) { found.append(path.string) }
        found += (try await site.node.transport.list("/sys/class/net") ?? [])
            .filter { $0 == "vxlan.calico" || ($0.hasPrefix("cali") && $0.count == 15) }
        guard !found.isEmpty else { return .passed("nothing", needs: "nothing") }
        return .warning(
            found.joined(separator: ", "), needs: "nothing",
            fix:
                "reboot to be rid of interfaces and iptables rules; look whether the folders hold data that you want before you remove them"
        )
    }
}

/// The snap makes links at these places, but only where nothing stands. With
/// a real folder there, the sockets of device plugins are looked for in vain.
struct FoldersForLinks: Check {
    let id = "mk8s.links"
    let title = "Nothing stands where MicroK8s makes its links"
    static let links: [FilePath] = ["/var/lib/kubelet", "/etc/cni/net.d", "/opt/cni/bin", "/var/lib/calico"]

    func finding(on site: Site) async throws -> Finding {
        var found: [String] = []
        for path in Self.links where try await site.node.transport.state(of: path)?.kind == .directory {
            if try await site.node.transport.list(path)?.isEmpty == false { found.append(path.string) }
        }
        guard !found.isEmpty else { return .passed("nothing", needs: "links, or nothing") }
        return .warning(
            "\(found.joined(separator: ", ")): a folder with files", needs: "links, or nothing",
            fix: "move it away if it is nobody's: \(found.map { "mv \($0) \($0).old" }.joined(separator: "; "))")
    }
}

struct ClusterCertificates: Check {
    let id = "mk8s.certs"
    let title = "The cluster's certificates last"
    static let names = ["ca", "server", "front-proxy-client", "kubelet"]

    func finding(on site: Site) async throws -> Finding {
        let needs = "60 days (below 7: refused)"
        let now = try await site.node.now()
        var days: [(name: String, left: Int)] = []
        for name in Self.names {
            let path = FilePath("/var/snap/microk8s/current/certs/\(name).crt")
            guard try await site.node.has(path) else { continue }
            days.append((name, try await site.node.learn(Certificate(at: path)).days(at: now)))
        }
        guard let least = days.min(by: { $0.left < $1.left }) else { return .passed("none yet", needs: needs) }
        let measured =
            least.left < 0 ? "\(least.name).crt is out of date" : "\(least.name).crt lasts \(least.left) days"
        if least.left >= 60 { return .passed(measured, needs: needs) }
        let fix =
            "/snap/bin/microk8s refresh-certs --cert \(least.name).crt, at a time when the API may be away for a minute"
        return least.left >= 7
            ? .warning(measured, needs: needs, fix: fix) : .failed(measured, needs: needs, fix: fix)
    }
}
