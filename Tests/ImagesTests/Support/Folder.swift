import FoundationEssentials
import Glibc
import Images
import SystemPackage

/// A folder of a test's own, gone when the test is over.
struct Folder {
    let path: FilePath

    static func with<Value>(_ body: (Folder) async throws -> Value) async throws -> Value {
        let path = FilePath("/tmp/images-\(UInt64.random(in: 0 ... .max))")
        guard mkdir(path.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
        do {
            let value = try await body(Folder(path: path))
            remove(path)
            return value
        } catch {
            remove(path)
            throw error
        }
    }

    func write(_ name: String, _ bytes: [UInt8]) throws -> FilePath {
        let file = path.pushing(FilePath(name))
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        return file
    }

    func write(_ name: String, _ members: [Tar.Member]) throws -> FilePath {
        try write(name, Tar(members: members).bytes)
    }

    /// As a directory; links and devices are left out.
    func unpack(_ members: [Tar.Member], as name: String) throws -> FilePath {
        let folder = path.appending(name)
        for member in members where member.type == "0" {
            let file = folder.pushing(FilePath(member.name))
            try FileManager.default.createDirectory(
                atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
            _ = try write("\(name)/\(member.name)", member.bytes)
        }
        return folder
    }

    func shelf(_ archives: FilePath...) -> ImageShelf {
        ImageShelf(archives: archives, index: path.appending("index.json"))
    }

    private static func remove(_ path: FilePath) {
        do { try FileManager.default.removeItem(atPath: path.string) } catch { print("left behind: \(error)") }
    }
}

/// Changes bytes and keeps what `stat` says of the file.
func overwrite(_ path: FilePath, at offset: Int64, _ bytes: [UInt8]) throws {
    let stat = try Stat(path).rawValue
    let file = try FileDescriptor.open(path, .readWrite)
    try file.closeAfter {
        _ = try file.writeAll(toAbsoluteOffset: offset, bytes)
        let times = [stat.st_atim, stat.st_mtim]
        guard futimens(file.rawValue, times) == 0 else { throw Errno(rawValue: errno) }
    }
}

func contents(of path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = try piece.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += piece[..<count]
        }
        return bytes
    }
}

/// Sparse: only its size grows.
func grow(_ path: FilePath, to size: Int64) throws {
    let file = try FileDescriptor.open(path, .readWrite)
    try file.closeAfter { try file.resize(to: size) }
}
