import Hosts
import SystemPackage

struct RightFileSystem: Check {
    let id = "disk.fstype"
    let title = "The file system can hold layers of images"

    func finding(on site: Site) async throws -> Finding {
        let disk = try await site.imageFileSystem()
        let needs = "ext4, or XFS with ftype=1"
        let fix = "mount an ext4 disk at \(site.provider.imageRoot)"
        let measured = "\(disk.type) at \(disk.mountPoint)"
        switch disk.type {
        case "ext4", "ext3": return .passed(measured, needs: needs)
        case "xfs": return try await xfs(at: disk.mountPoint, on: site.node, measured, needs: needs)
        case "btrfs", "zfs", "tmpfs", "overlay", "bcachefs", "f2fs":
            return .warning(
                measured, needs: needs, fix: "\(fix): on this one overlays are slow, or do not work, or do not last")
        default: return .failed(measured, needs: needs, fix: "\(fix): overlays do not work on this one")
        }
    }

    private func xfs(at path: FilePath, on host: Host, _ measured: String, needs: String) async throws -> Finding {
        guard try await host.program("xfs_info") != nil else {
            return .unknown(
                because: "could not be measured: \(measured), and there is no xfs_info to ask for ftype", needs: needs)
        }
        let outcome = try await host.transport.run(["xfs_info", path.string])
        if outcome.output.contains("ftype=1") { return .passed("\(measured), ftype=1", needs: needs) }
        return .failed("\(measured), ftype=0", needs: needs, fix: "make it anew: mkfs.xfs -n ftype=1")
    }
}

struct NoLinkedFolders: Check {
    let id = "disk.symlink"
    let title = "The cluster's folders are no symbolic links"
    static let folders: [FilePath] = [
        "/var", "/var/lib", "/var/snap", "/var/snap/microk8s", "/var/snap/microk8s/common", "/var/lib/snapd",
    ]

    func finding(on site: Site) async throws -> Finding {
        var links: [String] = []
        for folder in Self.folders {
            if case .link(let target)? = try await site.node.transport.state(of: folder)?.kind {
                links.append("\(folder) → \(target)")
            }
        }
        return links.isEmpty
            ? .passed("none", needs: "none")
            : .failed(
                links.joined(separator: ", "), needs: "none",
                fix:
                    "put a bind mount in its place (a line with 'bind' in /etc/fstab); snap's confinement does not follow links"
            )
    }
}

struct RightMountOptions: Check {
    let id = "disk.mount_opts"
    let title = "The disks are mounted so that programs on them run"

    func finding(on site: Site) async throws -> Finding {
        let needs = "not ro, noexec or nodev; /tmp not noexec"
        let mounts = try await site.node.learn(Mounts())
        var (bad, poor): ([String], [String]) = ([], [])
        for path: FilePath in ["/", "/var", "/var/snap", "/var/lib", site.provider.imageRoot] {
            guard let mount = mounts.holding(path) else { continue }
            for option in ["ro", "noexec", "nodev"] where mount.options.contains(option) {
                let text = "\(mount.point) is \(option)"
                if !bad.contains(text) { bad.append(text) }
            }
        }
        if mounts.holding("/tmp")?.options.contains("noexec") == true { poor.append("/tmp is noexec") }
        let fix = "take these options out of /etc/fstab, then mount -o remount"
        if !bad.isEmpty { return .failed((bad + poor).joined(separator: ", "), needs: needs, fix: fix) }
        return poor.isEmpty ? .passed("none of these", needs: needs) : .warning(poor[0], needs: needs, fix: fix)
    }
}

/// The kubelet counts the two apart; our forecast of space does not.
struct OneFileSystem: Check {
    let id = "disk.kubelet_dir"
    let title = "The kubelet's folder lies on the disk of the images"

    func finding(on site: Site) async throws -> Finding {
        let pods = try await site.node.learn(DiskSpace(of: try await site.node.standing(Self.folder(of: site))))
        let images = try await site.imageFileSystem()
        let measured = "pods on \(pods.mountPoint), images on \(images.mountPoint)"
        return pods.mountPoint == images.mountPoint
            ? .passed(measured, needs: "one disk") : .info(measured, needs: "one disk, or room on both")
    }

    private static func folder(of site: Site) -> FilePath {
        site.settings.clusterProvider == .microk8s ? "/var/snap/microk8s/common/var/lib/kubelet" : "/var/lib/kubelet"
    }
}

struct SpaceForUsers: Check {
    let id = "disk.pvc"
    let title = "The users' files have room"

    func finding(on site: Site) async throws -> Finding {
        let needs = "50 GiB free"
        guard site.settings.sharedStorageEnabled else { return .passed("no shared storage asked for", needs: needs) }
        let path = site.settings.sharedStoragePath
        let disk = try await site.node.learn(DiskSpace(of: try await site.node.standing(path)))
        let measured = "\(disk.available.asBytes) free for \(path) on \(disk.mountPoint)"
        return disk.available >= .gib(50)
            ? .passed(measured, needs: needs)
            : .warning(measured, needs: needs, fix: "set SHARED_STORAGE_PATH to a folder on a larger disk")
    }
}

struct NoDiskErrors: Check {
    let id = "disk.ro_errors"
    let title = "The kernel has seen no disk fail since it was booted"
    static let signs = [
        "I/O error, dev", "EXT4-fs error", "Remounting filesystem read-only", "XFS: Internal error",
        "Filesystem has been shut down",
    ]

    func finding(on site: Site) async throws -> Finding {
        let outcome = try await site.node.transport.run(["dmesg", "--notime"])
        guard outcome.status == 0 else { throw FactError("dmesg says '\(outcome.lastWords)'") }
        let lines = outcome.output.lines.filter { line in Self.signs.contains { line.contains($0) } }
        guard let last = lines.last else { return .passed("none", needs: "none") }
        return .warning(
            "\(lines.count), the last: \(last)", needs: "none",
            fix: "look at the disk (smartctl -a, nvme smart-log) before data is trusted to it")
    }
}
