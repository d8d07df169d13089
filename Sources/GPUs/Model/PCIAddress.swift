/// Where a device sits on the PCI bus. It is what NVML, the kernel's log and sysfs all call a GPU by.
package struct PCIAddress: Hashable, Sendable {
    package var domain: UInt32
    package var bus: UInt8
    package var device: UInt8
    package var function: UInt8

    package init(domain: UInt32 = 0, bus: UInt8, device: UInt8 = 0, function: UInt8 = 0) {
        (self.domain, self.bus, self.device, self.function) = (domain, bus, device, function)
    }

    /// Takes all forms: `00000000:3B:00.0` (NVML), `0000:3b:00.0` (sysfs), `PCI:0000:3b:00` and
    /// `0000:3b:00` (the kernel's log), `3b:00.0`.
    package init?(_ text: some StringProtocol) {
        let bare = text.hasPrefix("PCI:") ? text.dropFirst(4) : text[...]
        let places = bare.split(separator: ":", omittingEmptySubsequences: false)
        guard places.count == 2 || places.count == 3, let last = places.last else { return nil }
        let ends = last.split(separator: ".", omittingEmptySubsequences: false)
        guard ends.count <= 2, let device = UInt8(ends[0], radix: 16), device < 32,
            let function = ends.count == 2 ? UInt8(ends[1], radix: 16) : 0, function < 8,
            let bus = UInt8(places[places.count - 2], radix: 16),
            let domain = places.count == 3 ? UInt32(places[0], radix: 16) : 0
        else { return nil }
        self.init(domain: domain, bus: bus, device: device, function: function)
    }
}

extension PCIAddress: LosslessStringConvertible {
    /// As sysfs writes it: `0000:3b:00.0`.
    package var description: String {
        "\(hex(domain, 4)):\(hex(bus, 2)):\(hex(device, 2)).\(function)"
    }

    private func hex(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension PCIAddress: Comparable {
    package static func < (one: PCIAddress, other: PCIAddress) -> Bool {
        (one.domain, one.bus, one.device, one.function)
            < (other.domain, other.bus, other.device, other.function)
    }
}

extension PCIAddress: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = PCIAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no PCI address")
        }
        self = address
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
