/// One sample with its number, as it stands in the ring: `CHECKSUM NUMBER JSON`.
package struct RingLine: Hashable, Sendable {
    package var number: UInt64
    package var sample: [UInt8]

    package init(number: UInt64, sample: [UInt8]) { (self.number, self.sample) = (number, sample) }

    var bytes: [UInt8] {
        let body = Array("\(number) ".utf8) + sample
        let digits = String(Checksum.crc32(body), radix: 16)
        return Array((String(repeating: "0", count: 8 - digits.count) + digits + " ").utf8) + body + [Self.newline]
    }

    /// Nil where the bytes are not what was once written.
    init?(_ line: ArraySlice<UInt8>) {
        let (digits, body) = (line.prefix(8), line.dropFirst(9))
        guard line.count > 9, line[line.startIndex + 8] == Self.space,
            let checksum = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            checksum == Checksum.crc32(body), let cut = body.firstIndex(of: Self.space),
            let number = UInt64(String(decoding: body[..<cut], as: UTF8.self))
        else { return nil }
        self.init(number: number, sample: Array(body[(cut + 1)...]))
    }

    /// The lines that are whole, and where the last of them ends.
    static func all(in bytes: [UInt8]) -> (lines: [RingLine], end: Int) {
        var (lines, end, start): ([RingLine], Int, Int) = ([], 0, 0)
        while let stop = bytes[start...].firstIndex(of: newline) {
            if let line = RingLine(bytes[start..<stop]) {
                lines.append(line)
                end = stop + 1
            }
            start = stop + 1
        }
        return (lines, end)
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")
}

/// CRC-32 as in IEEE 802.3, gzip and PNG; of "123456789" it is cbf43926.
enum Checksum {
    static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var checksum = UInt32.max
        for byte in bytes { checksum = table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] ^ (checksum >> 8) }
        return ~checksum
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
    }
}
