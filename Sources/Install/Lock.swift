package import Hosts
package import SystemPackage

import struct Foundation.Date
import class Foundation.FileManager

#if canImport(Glibc)
    import Glibc
#endif

/// Held while an installer works, and by each command that it carries out: one that was killed leaves its Helm or its
/// apt at work. The kernel lets go of it when the last of them has ended, however that came.
package final class Lock: Sendable {
    private let path: FilePath
    private let file: FileDescriptor

    /// Takes the lock, or throws who holds it.
    package init(at path: FilePath = "/run/jhub/install.lock", purpose: String) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        // Only who is alone gets it whole; then it is shared with our own commands.
        for operation in [LOCK_EX, LOCK_SH] where flock(file.rawValue, operation | LOCK_NB) != 0 {
            let holder = try String(decoding: file.readAll(upTo: 4096), as: UTF8.self).trimmed
            throw LockError(holder: holder, users: path.users())
        }
        let holder = "pid \(getpid()) (\(purpose)), since \(Date().formatted(.iso8601))\n"
        try file.resize(to: 0)
        try file.writeAll(toAbsoluteOffset: 0, Array(holder.utf8))
    }

    deinit { try? file.close() }

    /// The command as one that shares the lock, with all that it starts. It has to take its own share, since no child
    /// inherits a descriptor of ours; where another installer was quicker, it does not start.
    package func shared(with command: Command) -> Command { Self.shared(at: path, with: command) }

    /// What a head that was killed had started on a worker may still be at work there.
    static func refuseOrphans(on host: Host) async throws {
        guard try await host.has(NodeFolder.path) else { return }
        let take: Command = ["flock", "--exclusive", "--nonblock", NodeFolder.path.string, "true"]
        guard try await host.transport.run(take).status != 0 else { return }
        throw InstallError.refused(
            "what a jhub-install that was killed had started on \(host.name) still works: run the same command again when that has ended"
        )
    }

    /// The same for a lock of another machine, at a file or folder that stands there.
    static func shared(at path: FilePath, with command: Command) -> Command {
        var sharing = command
        sharing.argv = ["flock", "--shared", "--nonblock", "--no-fork", path.string] + command.argv
        return sharing
    }
}

extension FileDescriptor {
    /// The first bytes of a file, at most so many.
    fileprivate func readAll(upTo limit: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = try read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

extension FilePath {
    /// The other processes that have this file open, each as "pid 4711 (its command line)".
    fileprivate func users() -> [String] {
        let files = FileManager.default
        func names(in folder: String) -> [String] { (try? files.contentsOfDirectory(atPath: folder)) ?? [] }
        let processes = names(in: "/proc").compactMap(Int32.init).sorted().filter { process in
            process != getpid()
                && names(in: "/proc/\(process)/fd").contains {
                    (try? files.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")) == string
                }
        }
        return processes.map { process in
            let words = files.contents(atPath: "/proc/\(process)/cmdline")?.split(separator: 0) ?? []
            let line = words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
            return "pid \(process) (\(line.prefix(200)))"
        }
    }
}

package struct LockError: Error, Hashable, CustomStringConvertible {
    /// What the holder wrote of itself: "pid 42 (jhub-install apply), since …".
    package var holder: String
    /// Who has the lock's file open: "pid 42 (jhub-install --yes)". Without the holder, what that left behind.
    package var users: [String] = []

    package var description: String {
        if holder.isEmpty { return "another jhub-install works on this machine: it has not named itself yet" }
        let isThere = users.contains { $0.words.prefix(2) == holder.words.prefix(2) }
        guard !users.isEmpty, !isThere else { return "another jhub-install works on this machine: \(holder)" }
        return "a jhub-install was killed, \(holder); what it had started still works: "
            + "\(users.joined(separator: ", ")); run the same command again when that has ended"
    }
}
