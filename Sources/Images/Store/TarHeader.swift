/// Writes tar: a header block and the padding after a body (POSIX ustar).
enum TarHeader {
    /// The name may have up to 100 bytes.
    static func file(_ name: String, size: Int64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at offset: Int, _ room: Int) {
            for (index, byte) in bytes.prefix(room).enumerated() { block[offset + index] = byte }
        }
        put(name.utf8, at: 0, 100)
        put("0000644".utf8, at: 100, 8)
        put("0000000".utf8, at: 108, 8)
        put("0000000".utf8, at: 116, 8)
        put(number(size), at: 124, 12)
        put("00000000000".utf8, at: 136, 12)
        put("        ".utf8, at: 148, 8)
        put("0".utf8, at: 156, 1)
        put("ustar\u{0}00".utf8, at: 257, 8)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6) + [0, 32], at: 148, 8)
        return block
    }

    static func padding(after size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((512 - size % 512) % 512))
    }

    static let end = [UInt8](repeating: 0, count: 1024)

    /// Eleven octal digits; from 8 GiB on GNU's binary form, which Go and libarchive read too.
    private static func number(_ value: Int64) -> [UInt8] {
        if value < 1 << 33 { return octal(value, digits: 11) }
        return [0x80, 0, 0, 0] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
        (0..<digits).reversed().map { UInt8(48 + (value >> ($0 * 3)) & 7) }
    }
}
