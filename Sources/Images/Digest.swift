import Crypto

/// The name of a content: "sha256:" and 64 lower-case hexadecimal digits.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    package let hex: String

    /// From "sha256:…". No other algorithm is in use where this program goes.
    package init(parsing text: String) throws(ImageError) {
        guard text.hasPrefix("sha256:"), let digest = Digest(hex: String(text.dropFirst(7))) else {
            throw ImageError("read the digest", "'\(text.prefix(100))'", "it is not sha256: and 64 hexadecimal digits")
        }
        self = digest
    }

    /// Nil unless these are the 64 digits.
    init?(hex: String) {
        let digits = hex.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard hex.utf8.count == 64, digits else { return nil }
        self.hex = hex
    }

    package init(of bytes: some Sequence<UInt8>) {
        self.init(SHA256.hash(data: Array(bytes)))
    }

    /// From a hash: its 32 bytes.
    package init(_ hash: some Sequence<UInt8>) {
        var digits: [UInt8] = []
        digits.reserveCapacity(64)
        for byte in hash {
            for nibble in [byte >> 4, byte & 15] { digits.append(nibble < 10 ? 48 + nibble : 87 + nibble) }
        }
        hex = String(decoding: digits, as: UTF8.self)
    }

    package var description: String { "sha256:" + hex }
    /// Enough of it for a person to tell two apart, as Docker shortens it.
    package var short: String { String(hex.prefix(12)) }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// So that dictionaries by digest are JSON objects.
extension Digest: CodingKeyRepresentable {
    package var codingKey: any CodingKey { Key(stringValue: description) }

    package init?(codingKey: some CodingKey) {
        guard let digest = try? Digest(parsing: codingKey.stringValue) else { return nil }
        self = digest
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
