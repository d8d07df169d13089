/// What a host proves itself with.
package struct HostKey: Hashable, Sendable, CustomStringConvertible {
    /// As SSH calls it: `ssh-ed25519`, `ecdsa-sha2-nistp256`.
    package var type: String
    package var fingerprint: Fingerprint

    package init(type: String, fingerprint: Fingerprint) { (self.type, self.fingerprint) = (type, fingerprint) }

    package var description: String { "\(fingerprint) (\(type))" }

    /// Those that libssh2 1.10 can check, the best first. It takes RSA keys with SHA-1 signatures only, which OpenSSH
    /// gives no more.
    static let types = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]
}

/// The SHA-256 of a public key, as OpenSSH prints it: `SHA256:` and Base64 without padding.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Nil where the text is no such fingerprint.
    package init?(_ text: String) {
        let digest = text.dropFirst(Self.prefix.count)
        // 32 bytes are 43 letters, and the last of them has two bits to spare.
        guard text.hasPrefix(Self.prefix), digest.utf8.count == 43, digest.utf8.allSatisfy(Self.alphabet.contains),
            let last = digest.utf8.last, let value = Self.alphabet.firstIndex(of: last), value % 4 == 0
        else { return nil }
        description = text
    }

    init(sha256 digest: [UInt8]) {
        var text: [UInt8] = []
        for start in stride(from: 0, to: digest.count, by: 3) {
            let three = digest[start...].prefix(3)
            let bits = three.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - three.count))
            text += (0...three.count).map { Self.alphabet[bits >> (18 - 6 * $0) & 63] }
        }
        description = Self.prefix + String(decoding: text, as: UTF8.self)
    }

    private static let prefix = "SHA256:"
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
