import Crypto
import FoundationEssentials
package import Images
package import SystemPackage

/// An Ed25519 key by which signatures are checked.
package struct PublicKey: Hashable, Sendable {
    static let kind = "jhub-public-key-1"
    static let size = 32

    let bytes: [UInt8]
    /// Whose it is, as its file says: nothing proves that.
    package let comment: String

    init(bytes: [UInt8], comment: String) { (self.bytes, self.comment) = (bytes, comment) }

    package init(reading path: FilePath) throws(BundleFault) {
        let lines = try KeyLine.lines(of: path)
        guard lines.count == 1, let line = KeyLine(reading: lines[0], Self.kind, size: Self.size),
            (try? Curve25519.Signing.PublicKey(rawRepresentation: line.bytes)) != nil
        else {
            throw BundleFault("\(path) is no public key: it should be one line, '\(Self.kind) BASE64 COMMENT'")
        }
        self.init(bytes: line.bytes, comment: line.comment)
    }

    package var text: String { KeyLine(Self.kind, bytes, comment).text }

    /// What two people compare to know that they speak of the same key.
    package var fingerprint: Images.Digest { Images.Digest(of: bytes) }
    /// Short for the fingerprint.
    package var id: String { String(fingerprint.hex.prefix(16)) }

    func proves(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        (try? Curve25519.Signing.PublicKey(rawRepresentation: bytes))?.isValidSignature(signature, for: text) == true
    }
}

extension PublicKey: CustomStringConvertible {
    package var description: String { comment.isEmpty ? id : "\(id) (\(comment))" }
}
