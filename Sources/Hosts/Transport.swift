package import SystemPackage

/// A way to act on one machine: this one, or another over SSH.
///
/// Every transport keeps one promise: `run` throws only where the command
/// could not be run at all, or ran past its limit. How it ended is in the `Outcome`.
package protocol Transport: Sendable {
    func run(_ command: Command) async throws(TransportError) -> Outcome
    /// Runs a command whose standard input `feed` writes, piece by piece; what
    /// `feed` throws ends the command and comes out again as it was thrown.
    /// `command.input` is not used.
    func run(_ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void) async throws -> Outcome
    /// The file's bytes, or nil where there is no such file.
    func read(_ path: FilePath) async throws(TransportError) -> [UInt8]?
    /// What stands at the path (a symbolic link is not followed), or nil.
    func state(of path: FilePath) async throws(TransportError) -> FileState?
    /// The names in a folder, sorted, or nil where there is no such folder.
    func list(_ path: FilePath) async throws(TransportError) -> [String]?
    /// Puts the whole file in place at once, with owner and mode: readers see the old one or the new.
    /// Missing folders above it are made with mode 0755.
    func write(_ file: File) async throws(TransportError)
    /// Makes the folder, and those above it that are missing (0755); sets owner and mode of the last one only.
    func make(_ directory: Directory) async throws(TransportError)
    /// Removes one file, link or empty folder; nothing there is fine.
    func remove(_ path: FilePath) async throws(TransportError)
}

/// Where bytes go, in order; it waits while the other end is full.
package protocol ByteSink: Sendable {
    func write(_ bytes: [UInt8]) async throws
}

/// A whole file, as it should stand on a host.
package struct File: Hashable, Sendable {
    package var path: FilePath
    package var contents: [UInt8]
    package var permissions: FilePermissions
    package var owner: Owner
    /// Its contents are shown to nobody: not in a plan, a record or a log.
    package var isSecret: Bool

    package init(
        _ path: FilePath, _ contents: String, permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead],
        owner: Owner = .root, isSecret: Bool = false
    ) {
        (self.path, self.contents) = (path, Array(contents.utf8))
        (self.permissions, self.owner, self.isSecret) = (permissions, owner, isSecret)
    }
}

package struct Directory: Hashable, Sendable {
    package var path: FilePath
    package var permissions: FilePermissions
    package var owner: Owner

    package init(_ path: FilePath, permissions: FilePermissions, owner: Owner = .root) {
        (self.path, self.permissions, self.owner) = (path, permissions, owner)
    }
}

package struct Owner: Hashable, Sendable {
    package var user: UInt32
    package var group: UInt32
    package init(user: UInt32, group: UInt32) { (self.user, self.group) = (user, group) }
    package static let root = Owner(user: 0, group: 0)
}

package struct FileState: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case file, directory, other
        case link(to: FilePath)
    }
    package var kind: Kind
    package var size: Int64
    package var permissions: FilePermissions
    package var owner: Owner

    package init(kind: Kind, size: Int64, permissions: FilePermissions, owner: Owner) {
        (self.kind, self.size, self.permissions, self.owner) = (kind, size, permissions, owner)
    }
}

package struct TransportError: Error, Hashable, CustomStringConvertible {
    package var host: String
    package var attempt: String
    package var reason: String

    package init(_ host: String, _ attempt: String, _ reason: String) {
        (self.host, self.attempt, self.reason) = (host, attempt, reason)
    }

    package var description: String { "\(host): could not \(attempt): \(reason)" }
}
