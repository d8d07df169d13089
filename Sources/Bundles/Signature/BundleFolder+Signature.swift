import FoundationEssentials
import SystemPackage

/// Who says that a bundle is theirs.
package enum SignatureFinding: Hashable, Sendable {
    /// By keys that this machine trusts.
    case trusted([PublicKey])
    /// By keys alone that it does not know: their ids. Nothing is proved.
    case unknown([String])
    case unsigned
    /// A key that it trusts did not sign this.
    case wrong(PublicKey)

    /// Why the bundle is not to be taken; nil where it is. A wrong signature is never allowed.
    package func fault(allowingUnsigned: Bool) -> BundleFault? {
        switch self {
        case .trusted: return nil
        case .wrong(let key):
            return BundleFault(
                "the signature of \(key) does not fit bundle.json: one of the two was changed: fetch both again from "
                    + "where the bundle was made")
        case .unsigned, .unknown: if allowingUnsigned { return nil }
        }
        guard case .unknown(let ids) = self else {
            return BundleFault(
                "the bundle is not signed, so nothing says who made it: have it signed with 'jhub-install bundle sign', "
                    + "or say --allow-unsigned")
        }
        return BundleFault(
            "the bundle is signed with \(ids.joined(separator: ", ")), which this machine does not trust: if you know "
                + "whose key that is, say 'jhub-install bundle trust FILE.pub'; or say --allow-unsigned")
    }
}

/// One line of bundle.json.sig.
private struct Signature {
    static let kind = "jhub-signature-1"
    static let size = 64
    var key: String
    var bytes: [UInt8]

    /// "jhub-signature-1 KEY-ID BASE64"
    init?(reading text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == Self.kind, words[1].utf8.count == 16,
            words[1].allSatisfy({ $0.isASCII && $0.isHexDigit }), let data = Data(base64Encoded: String(words[2])),
            data.count == Self.size
        else { return nil }
        (key, bytes) = (String(words[1]), Array(data))
    }
}

extension BundleFolder {
    /// Checks the signatures of bundle.json, and with it, by its digests, of everything.
    package func signature(trusting trusted: TrustedKeys) throws(BundleFault) -> SignatureFinding {
        var unknown: Set<String> = []
        var signers: [PublicKey] = []
        for line in try signatureLines() {
            guard let signature = Signature(reading: line) else {
                throw BundleFault(
                    "\(path)/\(Reserved.signatures) has a line that is no signature: fetch it again from where the "
                        + "bundle was made")
            }
            let keys = trusted.keys.filter { $0.id == signature.key }
            if let key = keys.first(where: { $0.proves(signature.bytes, of: text) }) {
                signers.append(key)
            } else if let key = keys.first {
                return .wrong(key)
            } else {
                unknown.insert(signature.key)
            }
        }
        if !signers.isEmpty { return .trusted(signers) }
        return unknown.isEmpty ? .unsigned : .unknown(unknown.sorted())
    }

    /// Adds the key's signature of bundle.json; the others stay.
    package func sign(with key: SecretKey) throws(BundleFault) {
        let id = key.publicKey.id
        let others = try signatureLines().filter { Signature(reading: $0).map { $0.key != id } ?? false }
        let own = "\(Signature.kind) \(id) \(Data(try key.signature(of: text)).base64EncodedString())"
        let lines = Set(others + [own]).sorted().map { $0 + "\n" }.joined()
        for place in copies(of: Reserved.signatures) { try SmallFile.write(lines.utf8, to: place) }
    }

    private func signatureLines() throws(BundleFault) -> [String] {
        var lines: Set<String> = []
        for place in copies(of: Reserved.signatures) where FileEntry(at: place) != nil {
            lines.formUnion(try KeyLine.lines(of: place))
        }
        return lines.sorted()
    }
}
