import Glibc
package import SystemPackage

/// A file's state. Who changes its bytes changes its mtime, or its inode.
package struct FileSeal: Codable, Hashable, Sendable {
    var size: Int64
    var seconds: Int
    var nanoseconds: Int
    var inode: UInt64
    var device: UInt64

    /// Nil where there is no such file. A directory has none: its state says nothing of what lies below it.
    package init?(of path: FilePath) {
        guard let stat = try? Stat(path), stat.type == .regular else { return nil }
        let raw = stat.rawValue
        (size, inode, device) = (Int64(raw.st_size), UInt64(raw.st_ino), UInt64(raw.st_dev))
        (seconds, nanoseconds) = (Int(raw.st_mtim.tv_sec), Int(raw.st_mtim.tv_nsec))
    }
}
