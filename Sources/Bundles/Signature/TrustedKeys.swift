import Glibc
package import SystemPackage

/// The keys whose bundles this machine takes: NAME.pub files in one folder.
package struct TrustedKeys: Sendable {
    package static let folder: FilePath = "/etc/jhub/trusted-keys"

    package var keys: [PublicKey]

    package init(_ keys: [PublicKey]) { self.keys = keys }

    /// None where there is no such folder. Refuses what others can write: they would decide whom to trust.
    package init(in folder: FilePath = Self.folder) throws(BundleFault) {
        keys = []
        guard FileEntry(at: folder) != nil else { return }
        try Self.refuseWhatOthersCanWrite(folder)
        for name in try trying("read the directory", folder, { try Tree.names(in: folder) })
        where name.hasSuffix(".pub") {
            let path = folder.appending(name)
            try Self.refuseWhatOthersCanWrite(path)
            keys.append(try PublicKey(reading: path))
        }
    }

    /// Trusts it from now on.
    package static func add(_ key: PublicKey, in folder: FilePath = Self.folder) throws(BundleFault) {
        try SmallFile.makeFolder(folder)
        try SmallFile.write(key.text.utf8, to: folder.appending(key.id + ".pub"))
    }

    private static func refuseWhatOthersCanWrite(_ path: FilePath) throws(BundleFault) {
        var status = stat()
        try trying("read", path) { _ = try system(stat(path.string, &status)) }
        guard status.st_mode & 0o022 == 0, [0, geteuid()].contains(status.st_uid) else {
            throw BundleFault(
                "others can write \(path), and so decide whom this machine trusts: look at the keys in it, "
                    + "then 'chown root' and 'chmod go-w' it", blame: .machine)
        }
    }
}
