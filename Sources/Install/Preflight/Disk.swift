import Hosts
import SystemPackage

/// The file system on which a path lies, as df sees it.
struct FileSystem: Fact {
    struct Value: Hashable, Sendable {
        var type: String
        var size: Int64
        var used: Int64
        /// For others than root: what ext4 keeps back is not in it.
        var free: Int64
        /// Nil where the file system makes inodes as it needs them.
        var freeInodes: Double?
        var target: FilePath
        /// As df's Use% and the kubelet's thresholds count.
        var usedShare: Double { used + free > 0 ? Double(used) / Double(used + free) : 1 }
    }

    var path: FilePath
    init(of path: FilePath) { self.path = path }

    var command: Command {
        ["df", "--block-size=1", "--output=fstype,size,used,avail,itotal,iavail,target", "--", path.string]
    }

    func value(of outcome: Outcome) throws(FactError) -> Value {
        guard outcome.status == 0 else { throw FactError("df says '\(outcome.lastWords)'") }
        let lines = outcome.output.lines
        let fields = lines.count == 2 ? lines[1].words : []
        guard fields.count >= 7, let size = Int64(fields[1]), let used = Int64(fields[2]), let free = Int64(fields[3]) else {
            throw FactError("df says '\(outcome.output.trimmed)'")
        }
        var share: Double?
        if let total = Double(fields[4]), let left = Double(fields[5]), total > 0 { share = left / total }
        return Value(
            type: fields[0], size: size, used: used, free: free, freeInodes: share,
            target: FilePath(fields[6...].joined(separator: " ")))
    }
}

extension Site {
    /// The file system that the images go to, also before its folder is there.
    func imageFileSystem() async throws -> FileSystem.Value {
        try await head.learn(FileSystem(of: try await head.standing(provider.imageRoot)))
    }

    /// What the import of the images will take at most.
    ///
    /// A container's store holds each layer twice: as it was carried, and
    /// unpacked (2.2 times together, measured on images of Python and CUDA);
    /// 15 % on top for what moves meanwhile. Where the store stands already,
    /// only what it lacks counts.
    func imagesToCome() async throws -> Int64 {
        var carried: Int64 = 0
        if try await head.has(provider.imageRoot), let lacking = try? await loads(of: try await neededImages()) {
            for change in lacking {
                if case .load(let load) = change.action { carried += load.bytes }
            }
        } else {
            for archive in try bundle.archives() { carried += try await head.transport.state(of: archive)?.size ?? 0 }
        }
        return carried * 253 / 100
    }
}

struct SpaceForImages: Check {
    let id = "disk.snap_var"
    let title = "The images have room"

    func finding(on site: Site) async throws -> Finding {
        let (disk, need) = (try await site.imageFileSystem(), try await site.imagesToCome())
        let needs = "\(need.asBytes) free (2.2 × what the archives hold, and 15 %)"
        let measured = "\(disk.free.asBytes) free on \(disk.target)"
        if need == 0 || disk.free >= need { return .passed(measured, needs: needs) }
        return .failed(
            measured, needs: needs,
            fix: "free \((need - disk.free).asBytes) on \(disk.target), or mount a larger disk at \(site.provider.imageRoot)")
    }
}

/// From 85 % on the kubelet deletes images that are not pinned.
struct BelowCollection: Check {
    let id = "disk.gc_line"
    let title = "With the images the disk stays below what makes the kubelet delete some"

    func finding(on site: Site) async throws -> Finding {
        let (disk, need) = (try await site.imageFileSystem(), try await site.imagesToCome())
        let after = Double(disk.used + min(need, disk.free)) / Double(max(disk.used + disk.free, 1))
        let measured = "\(Int(disk.usedShare * 100)) % used, \(Int(after * 100)) % with the images"
        let needs = "below 80 % (from 95 %: refused)"
        let fix = "free space on \(disk.target), or mount a larger disk at \(site.provider.imageRoot)"
        if after < 0.8 { return .passed(measured, needs: needs) }
        return after >= 0.95 && need > 0
            ? .failed(measured, needs: needs, fix: fix) : .warning(measured, needs: needs, fix: fix)
    }
}

/// MicroK8s' kubelet ends pods when less than 1 GiB is free.
struct AboveEviction: Check {
    let id = "disk.evict_line"
    let title = "With the images more is free than where the kubelet ends pods"

    func finding(on site: Site) async throws -> Finding {
        let (disk, need) = (try await site.imageFileSystem(), try await site.imagesToCome())
        let left = disk.free - need
        let needs = "10 GiB left (1 GiB: refused)"
        let measured = left > 0 ? "\(left.asBytes) left" : "nothing left"
        let fix = "free space on \(disk.target): logs, old images, home folders of servers that are gone"
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
        let needs = "20 % (below 5 %: refused)"
        guard let share = disk.freeInodes else { return .passed("\(disk.type) makes them as needed", needs: needs) }
        let measured = "\(Int(share * 100)) % free on \(disk.target)"
        let fix = "find the folder with the many files: du --inodes -xd2 \(disk.target) | sort -n | tail"
        if share >= 0.2 { return .passed(measured, needs: needs) }
        return share >= 0.05
            ? .warning(measured, needs: needs, fix: fix) : .failed(measured, needs: needs, fix: fix)
    }
}
