/// A range of IPv4 addresses, as "10.1.0.0/16" or "10.99.0.2".
struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    var first: UInt32
    var prefix: Int
    let description: String

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let octets = parts[0].split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard octets.count == 4, parts.count <= 2 else { return nil }
        guard let prefix = parts.count == 2 ? Int(parts[1]) : 32, (0...32).contains(prefix) else { return nil }
        self.prefix = prefix
        first = octets.reduce(0) { $0 << 8 | UInt32($1) } & Self.mask(prefix)
        description = String(text)
    }

    func overlaps(_ other: AddressRange) -> Bool {
        let mask = Self.mask(min(prefix, other.prefix))
        return first & mask == other.first & mask
    }

    private static func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : UInt32.max << (32 - UInt32(prefix)) }
}
