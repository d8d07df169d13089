import Glibc
package import SystemPackage

/// Files that fit into memory.
package enum SmallFile {
    /// The whole file; an error where it has more than so many bytes. It does not wait for who may write to a pipe.
    package static func read(_ path: FilePath, upTo largest: Int) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = try piece.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                bytes += piece[..<count]
                guard bytes.count <= largest else { throw Errno.fileTooLarge }
            }
            return bytes
        }
    }

    /// Puts it in place at once and lets no power cut take it back. Readers see what was there, or this.
    static func write(
        _ bytes: some Sequence<UInt8>, to path: FilePath,
        permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
    ) throws(BundleFault) {
        let folder = path.removingLastComponent()
        let temporary = folder.appending(".\(path.lastComponent?.string ?? "").\(UInt32.random(in: 0 ... .max))")
        do {
            try create(bytes, at: temporary, permissions: permissions)
            try trying("write", path) {
                try system(rename(temporary.string, path.string))
                try synchronize(folder)
            }
        } catch {
            unlink(temporary.string)
            throw error
        }
    }

    /// Writes a file where there is none; an error where one is.
    static func create(
        _ bytes: some Sequence<UInt8>, at path: FilePath, permissions: FilePermissions
    ) throws(BundleFault) {
        try trying("write", path) {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: permissions)
            _ = try file.closeAfter {
                // The umask had its say in what `open` made of the permissions.
                try system(fchmod(file.rawValue, permissions.rawValue))
                try file.writeAll(bytes)
                return try system(fsync(file.rawValue))
            }
        }
    }

    /// So that what was made or renamed in a directory stays.
    static func synchronize(_ folder: FilePath) throws {
        let opened = try FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly, options: [.directory])
        _ = try opened.closeAfter { try system(fsync(opened.rawValue)) }
    }

    /// Makes a directory and those above it that are missing (0755).
    static func makeFolder(_ path: FilePath) throws(BundleFault) {
        if path.isEmpty || FileEntry(at: path)?.kind == .folder { return }
        try makeFolder(path.removingLastComponent())
        try trying("make the directory", path) {
            if mkdir(path.string, 0o755) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
        }
    }
}

/// What a system call answered, or its error.
@discardableResult
func system(_ answer: Int32) throws(Errno) -> Int32 {
    guard answer >= 0 else { throw Errno(rawValue: errno) }
    return answer
}
