import FoundationEssentials
import Glibc
import SystemPackage

/// A folder of a test's own, gone when the test is over.
struct Scratch {
    let path: FilePath

    private init() throws {
        path = FilePath("/tmp/bundles-\(UInt64.random(in: 0 ... .max))")
        guard mkdir(path.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }

    private func remove() { try? FileManager.default.removeItem(atPath: path.string) }

    static func with<Value>(_ body: (Scratch) throws -> Value) throws -> Value {
        let scratch = try Scratch()
        defer { scratch.remove() }
        return try body(scratch)
    }

    /// `with`, for a body that waits.
    static func during<Value>(_ body: (Scratch) async throws -> Value) async throws -> Value {
        let scratch = try Scratch()
        defer { scratch.remove() }
        return try await body(scratch)
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> FilePath {
        let file = path.pushing(FilePath(name))
        try FileManager.default.createDirectory(
            atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file.string))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> FilePath { try write(name, Array(text.utf8)) }

    func read(_ name: String) throws -> [UInt8] { try contents(of: path.pushing(FilePath(name))) }

    func copy(_ name: String, to other: String) throws {
        try FileManager.default.copyItem(
            atPath: path.pushing(FilePath(name)).string, toPath: path.pushing(FilePath(other)).string)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path.pushing(FilePath(name)).string)
    }
}

func contents(of path: FilePath) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: path.string))) }

/// Turns one bit over, as a bad stick does.
func flip(_ path: FilePath, at offset: Int64) throws {
    let file = try FileDescriptor.open(path, .readWrite)
    try file.closeAfter {
        var byte: [UInt8] = [0]
        _ = try byte.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: offset, into: $0) }
        _ = try file.writeAll(toAbsoluteOffset: offset, [byte[0] ^ 1])
    }
}

/// The same bytes for the same seed, and no two chunks of them alike.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { buffer in
        for index in stride(from: 0, to: count & ~7, by: 8) {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer.storeBytes(of: state, toByteOffset: index, as: UInt64.self)
        }
    }
    return bytes
}
