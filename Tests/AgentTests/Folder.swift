import Glibc
import SystemPackage

@testable import Agent

/// A folder of a test's own, gone when the test is.
final class Folder: Sendable {
    let path: FilePath

    init() throws {
        var name = Array("/tmp/jhub-agent-test-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw Errno(rawValue: errno) }
        path = FilePath(String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { Self.remove(path) }

    /// Writes a file, and the folders above it.
    func write(_ name: String, _ text: String) throws {
        let file = path.pushing(FilePath(name))
        var folder = path
        for part in FilePath(name).removingLastComponent().components {
            folder.append(part)
            try Disk.makeFolder(folder)
        }
        try Disk.replace(file, with: Array(text.utf8), mode: .ownerReadWrite)
    }

    private static func remove(_ path: FilePath) {
        for name in (try? Disk.names(in: path)) ?? [] {
            let inner = path.appending(name)
            if unlink(inner.string) != 0 { remove(inner) }
        }
        rmdir(path.string)
    }
}
