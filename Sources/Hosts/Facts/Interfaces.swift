/// The network interfaces and their addresses.
package struct Interfaces: Fact {
    package init() {}
    package var command: Command { ["ip", "-json", "address", "show"] }

    package func value(of outcome: Outcome) throws(FactError) -> [Interface] {
        try rows(of: outcome, from: "ip address", as: Row.self).map { row in
            Interface(
                name: row.ifname, isUp: row.flags.contains("UP"), mtu: row.mtu, hardware: row.address,
                addresses: row.addressRows.compactMap(\.address))
        }
    }

    struct Row: Decodable {
        var ifname: String
        var flags: [String]
        var mtu: Int
        var address: String?
        var addressRows: [AddressRow]

        enum CodingKeys: String, CodingKey {
            case ifname, flags, mtu, address
            case addressRows = "addr_info"
        }
    }

    struct AddressRow: Decodable {
        var family: String?
        var local: String?
        var prefixlen: Int?
        var scope: String?

        /// Nil for what old versions print in place of an address that their filter left out.
        var address: Interface.Address? {
            guard let family, let local, let prefixlen else { return nil }
            return .init(isIPv6: family == "inet6", text: local, prefixLength: prefixlen, isGlobal: scope == "global")
        }
    }
}

package struct Interface: Hashable, Sendable {
    package struct Address: Hashable, Sendable {
        package var isIPv6: Bool
        package var text: String
        package var prefixLength: Int
        /// Whether other machines may use it: neither loopback nor link-local.
        package var isGlobal: Bool
    }

    package var name: String
    package var isUp: Bool
    package var mtu: Int
    /// The MAC address, where it has one.
    package var hardware: String?
    package var addresses: [Address]
}
