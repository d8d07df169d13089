import CArchive
import SystemPackage

/// A tar file in any compression, read once, from front to back. Bodies of a
/// file that is not compressed are skipped by seeking.
struct ArchiveReader: ~Copyable {
    private let handle = ReadHandle()
    private let path: FilePath
    private var fileSize: Int64 = 0

    struct Member: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case file
            /// To another member, by its name in the archive.
            case link(to: String)
            case folder
        }
        /// Without "./" and doubled slashes; it never leaves the archive.
        var name: String
        var kind: Kind
        var size: Int64
    }

    init(at path: FilePath) throws(ImageError) {
        self.path = path
        fileSize = try Self.size(of: path)
        // By name, not all of them: some of libarchive's filters start other programs.
        archive_read_support_filter_gzip(handle.raw)
        archive_read_support_filter_zstd(handle.raw)
        archive_read_support_filter_xz(handle.raw)
        archive_read_support_filter_bzip2(handle.raw)
        archive_read_support_filter_lz4(handle.raw)
        archive_read_support_format_tar(handle.raw)
        try check(path.withPlatformString { archive_read_open_filename(handle.raw, $0, 1 << 16) })
        // The innermost of these counts too, and stands for the file itself.
        guard archive_filter_count(handle.raw) <= 2 else {
            throw ImageError("read", path.string, "it is compressed more than once")
        }
    }

    /// The next member, or nil after the last.
    mutating func next() throws(ImageError) -> Member? {
        var entry: OpaquePointer?
        let code = archive_read_next_header(handle.raw, &entry)
        if code == ARCHIVE_EOF { return nil }
        try check(code)
        let full = try Self.text(archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry), in: path)
        guard let name = Self.normal(full) else { throw refused(full, "its name leads out of the archive") }
        guard name.utf8.count <= Self.longestName else { throw refused(full, "its name is too long") }
        let size = archive_entry_size(entry)
        guard (0...Self.largest).contains(size) else { throw refused(full, "it claims a size of \(size) bytes") }
        // What a seek or a read in a hole finds is nowhere in the file.
        guard archive_entry_sparse_count(entry) == 0 else { throw refused(full, "it is stored with holes") }
        let end = archive_filter_bytes(handle.raw, 0) + size
        if archive_filter_count(handle.raw) == 1 {
            // Skipping by seeking would not notice that the file ends early.
            guard end <= fileSize else {
                throw refused(full, "the archive is cut off: it should have \(end) bytes and has \(fileSize)")
            }
        } else if end > Self.mostInflated(from: fileSize) {
            throw refused(
                full,
                "the archive has \(fileSize) bytes and would inflate to more than "
                    + "\(Self.mostInflated(from: fileSize)); if that is meant, carry it uncompressed")
        }
        return Member(name: name, kind: try kind(of: entry, name: name, full), size: size)
    }

    /// Up to `count` bytes of the current member; fewer only at its end.
    mutating func read(upTo count: Int) throws(ImageError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = archive_read_data(handle.raw, buffer.baseAddress.map { $0 + filled }, count - filled)
                if got < 0 { failed = true }
                if got <= 0 { return }
                filled += got
            }
        }
        if failed { throw error() }
        return bytes
    }

    private static func size(of path: FilePath) throws(ImageError) -> Int64 {
        let stat: Stat
        do { stat = try Stat(path) } catch { throw ImageError("read", path.string, "\(error)") }
        guard stat.type == .regular else { throw ImageError("read", path.string, "it is not a file") }
        guard stat.size > 0 else { throw ImageError("read", path.string, "it is empty") }
        return Int64(stat.size)
    }

    private func kind(of entry: OpaquePointer?, name: String, _ full: String) throws(ImageError) -> Member.Kind {
        if let hardlink = archive_entry_hardlink(entry) {
            guard let target = Self.normal(try Self.text(hardlink, in: path)) else {
                throw refused(full, "it is a link that leads out of the archive")
            }
            return .link(to: target)
        }
        switch archive_entry_filetype(entry) {
        case 0o100000: return .file
        case 0o040000: return .folder
        case 0o120000:
            let target = try Self.text(archive_entry_symlink(entry), in: path)
            let folder = name.split(separator: "/").dropLast().joined(separator: "/")
            guard !target.hasPrefix("/"), let inside = Self.normal(folder + "/" + target, parents: true) else {
                throw refused(full, "it is a link to '\(target)', which leads out of the archive")
            }
            return .link(to: inside)
        default: throw refused(full, "it is neither a file, nor a folder, nor a link")
        }
    }

    /// The name with what adds nothing taken out, or nil where it leads outside.
    private static func normal(_ name: String, parents: Bool = false) -> String? {
        if name.hasPrefix("/"), !parents { return nil }
        var parts: [Substring] = []
        for part in name.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if !parents || parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }

    /// 16 TiB: more than any image, and the sum of all members fits 64 bits.
    static let largest: Int64 = 1 << 44
    /// In bytes. Those of image archives have under 200; a hundred thousand of these are 50 MB.
    static let longestName = 512

    /// A compressed archive is inflated from front to back before it is known
    /// what is asked of it: the list of its images may come last. So what it
    /// inflates to is bounded by itself, in bytes: layers shrink to a tenth at best,
    /// a bomb of zeros to a thousandth (gzip) or less. The bound is held
    /// against what a header claims, before its body is inflated.
    static func mostInflated(from size: Int64) -> Int64 { 2 << 30 + 100 * min(size, largest) }

    private static func text(_ raw: UnsafePointer<CChar>?, in path: FilePath) throws(ImageError) -> String {
        guard let raw else { throw ImageError("read", path.string, "a member has no name") }
        guard let text = String(validatingCString: raw) else {
            throw ImageError("read", path.string, "the name '\(String(cString: raw).prefix(200))' in it is not UTF-8")
        }
        return text
    }

    private func refused(_ member: String, _ reason: String) -> ImageError {
        ImageError("read", "\(path.string), member '\(member.prefix(200))'", reason)
    }

    private func check(_ code: Int32) throws(ImageError) {
        // A bad header is "retry" to libarchive, as more might follow it.
        if code == ARCHIVE_OK || code == ARCHIVE_WARN { return }
        throw error()
    }

    private func error() -> ImageError {
        let words = archive_error_string(handle.raw).map { String(cString: $0) } ?? "libarchive does not say why"
        // Of a disk that fails it says no more than where.
        let isOfTheDisk = archive_errno(handle.raw) == Errno.ioError.rawValue
        return ImageError("read", path.string, isOfTheDisk ? Errno.ioError.inWords : words)
    }
}

/// libarchive's reader, freed once. A type of its own, because a type with a
/// deinit may not throw from its init; and not private, because of a
/// miscompile (swiftlang/swift#75903).
struct ReadHandle: ~Copyable {
    let raw = archive_read_new()!
    deinit { archive_read_free(raw) }
}
