import Crypto
import FoundationEssentials
import Glibc
package import SystemPackage

/// An Ed25519 key that signs. It is never printed.
package struct SecretKey: Sendable, CustomStringConvertible {
    static let kind = "jhub-secret-key-1"

    private let key: Curve25519.Signing.PrivateKey
    private let comment: String

    /// A new one, from the system's random numbers.
    package init(comment: String) { (key, self.comment) = (Curve25519.Signing.PrivateKey(), comment) }

    /// Refuses a file that others can read: then it is no secret.
    package init(reading path: FilePath) throws(BundleFault) {
        var status = stat()
        try trying("read the key", path) { _ = try system(stat(path.string, &status)) }
        guard status.st_mode & 0o077 == 0 else {
            throw BundleFault(
                "others can read \(path), and whoever did can sign: make a new key, or 'chmod 600' it if nobody has",
                blame: .machine)
        }
        let lines = try KeyLine.lines(of: path)
        guard lines.count == 1, let line = KeyLine(reading: lines[0], Self.kind, size: 32),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: line.bytes)
        else { throw BundleFault("\(path) is no key: it should be one line, '\(Self.kind) BASE64 COMMENT'") }
        (self.key, comment) = (key, line.comment)
    }

    package var publicKey: PublicKey { PublicKey(bytes: Array(key.publicKey.rawRepresentation), comment: comment) }

    /// Writes NAME.key, for its owner alone, and NAME.pub. What stands there is never overwritten.
    package func write(to name: FilePath) throws(BundleFault) {
        let secret = FilePath(name.string + ".key")
        let open = FilePath(name.string + ".pub")
        for path in [secret, open] where FileEntry(at: path) != nil {
            throw BundleFault(
                "\(path) is there already: no key is ever overwritten: take another name", blame: .machine)
        }
        let line = KeyLine(Self.kind, Array(key.rawRepresentation), comment)
        try SmallFile.create(Array(line.text.utf8), at: secret, permissions: .ownerReadWrite)
        try SmallFile.create(
            Array(publicKey.text.utf8), at: open, permissions: [.ownerReadWrite, .groupRead, .otherRead])
    }

    func signature(of text: [UInt8]) throws(BundleFault) -> [UInt8] {
        try trying("sign", FilePath(Reserved.description)) { try Array(key.signature(for: text)) }
    }

    package var description: String { "***" }
}
