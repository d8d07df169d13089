import Glibc
import SystemPackage

/// The few things that a ring does to files; what has returned outlives a power cut.
enum Disk {
    /// Writes at an offset, so that what a write that failed left behind is written over by the next.
    static func append(_ bytes: [UInt8], to path: FilePath, at offset: Int) throws(Errno) {
        try with(path, .writeOnly) { file throws(Errno) in
            try rethrown { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
            try checked(fdatasync(file.rawValue))
        }
    }

    static func create(_ path: FilePath) throws(Errno) {
        try with(path, .writeOnly, [.create, .truncate]) { file throws(Errno) in try checked(fsync(file.rawValue)) }
        try synchronise(path.removingLastComponent())
    }

    static func cut(_ path: FilePath, to size: Int) throws(Errno) {
        try with(path, .writeOnly) { file throws(Errno) in
            try checked(ftruncate(file.rawValue, size))
            try checked(fsync(file.rawValue))
        }
    }

    static func remove(_ path: FilePath) throws(Errno) { try checked(unlink(path.string)) }

    /// Writes beside the old file and renames over it: readers see the old one or the new.
    static func replace(_ path: FilePath, with bytes: [UInt8], mode: FilePermissions) throws(Errno) {
        let new = FilePath(path.string + ".new")
        try with(new, .writeOnly, [.create, .truncate], mode) { file throws(Errno) in
            try rethrown { _ = try file.writeAll(bytes) }
        }
        try checked(rename(new.string, path.string))
    }

    static func makeFolder(_ path: FilePath) throws(Errno) {
        do throws(Errno) { try checked(mkdir(path.string, 0o700)) } catch .fileExists {}
    }

    /// Nil where there is no such file.
    static func contents(of path: FilePath) throws(Errno) -> [UInt8]? {
        var bytes: [UInt8] = []
        do throws(Errno) {
            try with(path, .readOnly) { file throws(Errno) in
                var piece = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = try rethrown { try piece.withUnsafeMutableBytes { try file.read(into: $0) } }
                    guard count > 0 else { return }
                    bytes += piece[..<count]
                }
            }
        } catch .noSuchFileOrDirectory {
            return nil
        }
        return bytes
    }

    static func names(in folder: FilePath) throws(Errno) -> [String] {
        guard let stream = opendir(folder.string) else { throw Errno(rawValue: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func synchronise(_ folder: FilePath) throws(Errno) {
        try with(folder, .readOnly) { file throws(Errno) in try checked(fsync(file.rawValue)) }
    }

    private static func with(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode, _ options: FileDescriptor.OpenOptions = [],
        _ permissions: FilePermissions = .ownerReadWrite, _ body: (FileDescriptor) throws(Errno) -> Void
    ) throws(Errno) {
        let file = try rethrown { try FileDescriptor.open(path, mode, options: options, permissions: permissions) }
        defer { try? file.close() }
        try body(file)
    }

    private static func checked(_ result: CInt) throws(Errno) {
        guard result == 0 else { throw Errno(rawValue: errno) }
    }

    /// SystemPackage's calls throw nothing but `Errno`, and do not say so.
    private static func rethrown<Value>(_ body: () throws -> Value) throws(Errno) -> Value {
        do {
            return try body()
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }
}
