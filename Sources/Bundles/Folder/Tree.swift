import Glibc
import SystemPackage

import class FoundationEssentials.FileManager

/// What stands at a path; a symbolic link is not followed.
struct FileEntry: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case file, folder, other }
    var kind: Kind
    var size: Int64
    var isProgram: Bool

    /// Of what `stat` does not find, although its folder lists it.
    static let odd = FileEntry()

    init(kind: Kind = .other, size: Int64 = 0, isProgram: Bool = false) {
        (self.kind, self.size, self.isProgram) = (kind, size, isProgram)
    }

    /// Nil where nothing is there.
    init?(at path: FilePath) {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return nil }
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        size = Int64(status.st_size)
        isProgram = status.st_mode & S_IXUSR != 0
    }
}

/// The files below a directory.
enum Tree {
    /// The names in a directory, sorted.
    static func names(in folder: FilePath) throws -> [String] {
        let stream = try folder.withPlatformString { path in
            guard let stream = opendir(path) else { throw Errno(rawValue: errno) }
            return stream
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return names.sorted()
    }

    /// All that is no folder, by its path below `root`, sorted. What begins with a dot, and lost+found, are the
    /// file system's own.
    static func entries(below root: FilePath) throws(BundleFault) -> [(path: String, entry: FileEntry)] {
        var found: [(path: String, entry: FileEntry)] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let place = folder.isEmpty ? root : root.pushing(FilePath(folder))
            for name in try trying("read the directory", place, { try names(in: place) }) {
                if name.hasPrefix(".") || name == "lost+found" { continue }
                let path = folder.isEmpty ? name : folder + "/" + name
                // A name may not be UTF-8.
                let entry = FileEntry(at: root.pushing(FilePath(path))) ?? .odd
                if entry.kind == .folder { folders.append(path) } else { found.append((path, entry)) }
            }
        }
        return found.sorted { $0.path < $1.path }
    }
}
