import Hosts
import SystemPackage

/// Somebody's MicroK8s may hold somebody's data. It is refused and never reset.
struct NoOtherMicroK8s: Check {
    let id = "mk8s.foreign"
    let title = "A MicroK8s on the machine is ours"

    func finding(on site: Site) async throws -> Finding {
        let needs = "none, or one that jhub-install put there"
        guard let snap = try await site.snaps().first(where: { $0.name == "microk8s" }) else {
            return .passed("none", needs: needs)
        }
        let fix = "take it away yourself, if nobody needs what is in it: snap remove --purge microk8s, then reboot"
        switch try await MicroK8s().membership(of: site) {
        case .ours: return .passed("a worker of this cluster", needs: needs)
        case .others: return .failed("it is a worker of another cluster", needs: needs, fix: fix)
        case .none:
            let launch = try await site.node.text(of: MicroK8s.common.appending(".microk8s.yaml"))
            return launch?.hasPrefix(LaunchConfiguration.mark) == true
                ? .passed("\(snap.version), ours", needs: needs)
                : .failed("\(snap.version), which somebody else installed", needs: needs, fix: fix)
        }
    }
}

/// A kubelet may be older than the API server, and never newer; with one revision nobody has to know by how much.
struct SameRevision: Check {
    let id = "mk8s.revision"
    let title = "A MicroK8s on the machine is of the head's revision"

    func finding(on site: Site) async throws -> Finding {
        let heads = try await site.head.learn(InstalledSnaps()).first { $0.name == "microk8s" }?.revision ?? "none"
        let needs = "revision \(heads), as on the head"
        if let own = try await site.snaps().first(where: { $0.name == "microk8s" })?.revision {
            return own == heads
                ? .passed("revision \(own)", needs: needs)
                : .failed(
                    "revision \(own)", needs: needs, fix: "take it away (snap remove microk8s), or bring the head to it"
                )
        }
        let carried = try site.bundle.snaps().first { $0.name == "microk8s" }?.revision ?? "none"
        return carried == heads
            ? .passed("the bundle's, revision \(carried)", needs: needs)
            : .failed(
                "the bundle holds revision \(carried)", needs: needs,
                fix: "take the bundle with which the head was installed: --bundle DIR")
    }
}

/// What users put into a folder of the worker's own stays on the worker.
struct SharedFolderIsShared: Check {
    let id = "disk.shared"
    let title = "The users' shared folder is the head's"
    static let networked = [
        "nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs", "lustre", "beegfs", "gpfs",
    ]

    func finding(on site: Site) async throws -> Finding {
        let needs = "a mount of the same network file system on every node"
        guard site.settings.sharedStorageEnabled else { return .passed("no shared storage asked for", needs: needs) }
        let path = FilePath(site.settings.sharedStoragePath.string)
        let type = try await site.node.learn(Mounts()).holding(path)?.type ?? "nothing"
        if Self.networked.contains(type) { return .passed("\(type) at \(path)", needs: needs) }
        return .warning(
            "\(path) lies on the machine's own \(type)", needs: needs,
            fix: "mount one NFS export at \(path) on the head and on all nodes; "
                + "else what users share on this machine is seen on this machine alone")
    }
}
