/// A tar as a test wants it, faults and all.
struct Tar {
    struct Member {
        var name: String
        var type: Character = "0"
        var link = ""
        var bytes: [UInt8] = []
        /// What the header claims, where that is not the truth.
        var claimedSize: Int64?

        static func file(_ name: String, _ bytes: [UInt8]) -> Member { Member(name: name, bytes: bytes) }
        static func file(_ name: String, _ text: String) -> Member { Member(name: name, bytes: Array(text.utf8)) }
        static func link(_ name: String, to target: String) -> Member { Member(name: name, type: "2", link: target) }
        static func hardlink(_ name: String, to target: String) -> Member {
            Member(name: name, type: "1", link: target)
        }
    }

    var members: [Member]

    var bytes: [UInt8] {
        members.flatMap { Self.header($0) + $0.bytes + Self.padding($0.bytes.count) }
            + [UInt8](repeating: 0, count: 1024)
    }

    /// With the right checksum in its first header.
    static func mended(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(148..<156, with: Array(repeating: 32, count: 8))
        let sum = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = String(repeating: "0", count: 6 - sum.utf8.count) + sum
        bytes.replaceSubrange(148..<156, with: Array(digits.utf8) + [0, 32])
        return bytes
    }

    /// So many empty files, quickly: from one header to the next only name and checksum change.
    static func empties(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 512 + 1024)
        var block = header(.file("000000", ""))
        let sum = block.reduce(0) { $0 + Int($1) } - block[148..<156].reduce(0) { $0 + Int($1) } + 8 * 32
        for number in 0..<count {
            var (rest, more) = (number, 0)
            for place in (0..<6).reversed() {
                block[place] = UInt8(48 + rest % 10)
                more += rest % 10
                rest /= 10
            }
            rest = sum + more
            for place in (148..<154).reversed() {
                block[place] = UInt8(48 + rest % 8)
                rest /= 8
            }
            bytes += block
        }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    static func padding(_ size: Int) -> [UInt8] { [UInt8](repeating: 0, count: (512 - size % 512) % 512) }

    static func header(_ member: Member) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int64, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(member.name, at: 0)
        put("0000755\u{0}0000000\u{0}0000000\u{0}", at: 100)
        put(octal(member.claimedSize ?? Int64(member.bytes.count), 11), at: 124)
        put("00000000000", at: 136)
        put("        ", at: 148)
        put(String(member.type), at: 156)
        put(member.link, at: 157)
        put("ustar\u{0}00", at: 257)
        put(octal(block.reduce(0) { $0 + Int64($1) }, 6) + "\u{0} ", at: 148)
        return block
    }
}
