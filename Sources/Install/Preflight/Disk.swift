import Hosts
import SystemPackage

extension Site {
    /// The file system that the images go to, also before its folder is there.
    func imageFileSystem() async throws -> DiskSpace.Value {
        try await node.learn(DiskSpace(of: try await node.standing(provider.imageRoot)))
    }
}

struct SpaceForImages: Check {
    let id = "disk.snap_var"
    let title = "The images have room"
    let limit: Duration? = .seconds(600)
    let carried: Carried

    func finding(on site: Site) async throws -> Finding {
        let (disk, need) = (try await site.imageFileSystem(), try await carried.bytesToCome(to: site))
        let needs = "\(need.asBytes) free (what the store lacks, as carried and unpacked, and 15 %)"
        let measured = "\(disk.available.asBytes) free on \(disk.mountPoint)"
        if need == 0 || disk.available >= need { return .passed(measured, needs: needs) }
        return .failed(
            measured, needs: needs,
            fix:
                "free \((need - disk.available).asBytes) on \(disk.mountPoint), or mount a larger disk at \(site.provider.imageRoot)"
        )
    }
}

/// From 85 % on the kubelet deletes images that are not pinned. What it does not
/// call available is taken, though df may call a part of it free.
struct BelowCollection: Check {
    let id = "disk.gc_line"
    let title = "With the images the disk stays below what makes the kubelet delete some"
    let limit: Duration? = .seconds(600)
    let carried: Carried

    func finding(on site: Site) async throws -> Finding {
        let (disk, need) = (try await site.imageFileSystem(), try await carried.bytesToCome(to: site))
        let after = Double(disk.size - max(disk.available - need, 0)) / Double(max(disk.size, 1))
        let now = Double(disk.size - disk.available) / Double(max(disk.size, 1))
        let measured = "\(Int(now * 100)) % taken, \(Int(after * 100)) % with the images"
        let needs = "below 80 % (from 95 %: refused)"
        let fix = "free space on \(disk.mountPoint), or mount a larger disk at \(site.provider.imageRoot)"
        if after < 0.8 { return .passed(measured, needs: needs) }
        return after >= 0.95 && need > 0
            ? .failed(measured, needs: needs, fix: fix) : .warning(measured, needs: needs, fix: fix)
    }
}

/// MicroK8s' kubelet ends pods when less than 1 GiB is free.
struct AboveEviction: Check {
    let id = "disk.evict_line"
    let title = "With the images more is free than where the kubelet ends pods"
    let limit: Duration? = .seconds(600)
    let carried: Carried

    func finding(on site: Site) async throws -> Finding {
        let (disk, need) = (try await site.imageFileSystem(), try await carried.bytesToCome(to: site))
        let left = disk.available - need
        let needs = "10 GiB left (1 GiB: refused)"
        let measured = left > 0 ? "\(left.asBytes) left" : "nothing left"
        let fix = "free space on \(disk.mountPoint): logs, old images, home folders of servers that are gone"
        if left >= .gib(10) { return .passed(measured, needs: needs) }
        return left > .gib(1)
            ? .warning(measured, needs: needs, fix: fix) : .failed(measured, needs: needs, fix: fix)
    }
}

struct InodesFree: Check {
    let id = "disk.inodes"
    let title = "The disk has inodes left"

    func finding(on site: Site) async throws -> Finding {
        let disk = try await site.imageFileSystem()
        let needs = "1000000, a few large images' worth (below 100000: refused)"
        guard let left = disk.inodesAvailable else { return .passed("\(disk.type) makes them as needed", needs: needs) }
        let measured = "\(left) left on \(disk.mountPoint)"
        let fix = "find the folder with the many files: du --inodes -xd2 \(disk.mountPoint) | sort -n | tail"
        if left >= 1_000_000 { return .passed(measured, needs: needs) }
        return left >= 100_000
            ? .warning(measured, needs: needs, fix: fix) : .failed(measured, needs: needs, fix: fix)
    }
}
