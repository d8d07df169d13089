import Kube
package import SystemPackage

import struct Foundation.Date
import class Foundation.FileManager

#if canImport(Glibc)
    import Glibc
#endif

/// Held while an installer works; the kernel lets go of it however the holder ends.
package final class Lock: Sendable {
    private let file: FileDescriptor

    /// Takes the lock, or throws who holds it.
    package init(at path: FilePath = "/run/jhub/install.lock", purpose: String) throws {
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw LockError(holder: try String(decoding: file.readAll(upTo: 4096), as: UTF8.self).trimmed)
        }
        let holder = "pid \(getpid()) (\(purpose)), since \(Date().formatted(.iso8601))\n"
        try file.resize(to: 0)
        try file.writeAll(toAbsoluteOffset: 0, Array(holder.utf8))
    }

    deinit { try? file.close() }
}

extension FileDescriptor {
    /// The first bytes of a file, at most so many.
    fileprivate func readAll(upTo limit: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = try read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

package struct LockError: Error, Hashable, CustomStringConvertible {
    package var holder: String
    package var description: String {
        "another jhub-install works on this machine: \(holder.isEmpty ? "it has not named itself yet" : holder)"
    }
}
