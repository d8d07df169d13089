/// Ways to spoil a good input, so little that a reader gets far with it.
extension Dice {
    /// Flips, overwrites, cuts, doubles and takes out.
    package mutating func spoil(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return [UInt8(truncatingIfNeeded: next())] }
        var bytes = bytes
        let place = below(bytes.count)
        let end = min(bytes.count, place + 1 + below(oneIn(4) ? 600 : 8))
        switch below(7) {
        case 0, 1: bytes[place] ^= 1 << UInt8(below(8))
        case 2: bytes[place] = one(of: [0, 1, 0x20, 0x2f, 0x30, 0x7f, 0x80, 0xff])
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count))
        case 5: bytes.removeSubrange(place...)
        default: bytes.replaceSubrange(place..<end, with: (place..<end).map { _ in UInt8(truncatingIfNeeded: next()) })
        }
        return bytes
    }

    /// JSON that is JSON still, most times, and says something else.
    package mutating func spoilJSON(_ text: String) -> String {
        let bytes = Array(text.utf8)
        if oneIn(8) { return String(decoding: spoil(bytes), as: UTF8.self) }
        let tokens = Self.tokens(of: bytes)
        guard !tokens.isEmpty else { return text }
        let token = one(of: tokens)
        let other: [UInt8]
        switch below(6) {
        case 0: other = Array(bytes[one(of: tokens)])
        case 1: other = Array(bytes[token]) + Array(",".utf8) + Array(bytes[token])
        case 2: other = Array(bytes[token]) + Array(":".utf8) + Array(bytes[one(of: tokens)])
        case 3: other = (bytes[token].first == 34) ? spoil(Array(bytes[token])) : Array("-1".utf8)
        default: other = Array((oneIn(200) ? Self.bomb : one(of: Self.values)).utf8)
        }
        return String(decoding: bytes[..<token.lowerBound] + other + bytes[token.upperBound...], as: UTF8.self)
    }

    /// Strings, numbers and words: where each is.
    private static func tokens(of bytes: [UInt8]) -> [Range<Int>] {
        var tokens: [Range<Int>] = []
        var index = 0
        while index < bytes.count {
            let start = index
            if bytes[index] == UInt8(ascii: "\"") {
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += 1 }
                index = min(index + 1, bytes.count)
            } else {
                while index < bytes.count, !"{}[]:, \n\"".utf8.contains(bytes[index]) { index += 1 }
            }
            if index > start { tokens.append(start..<index) } else { index += 1 }
        }
        return tokens
    }

    private static let values = [
        "null", "true", "-1", "0", "1.5", "1e400", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "\"\"", "[]", "{}",
        #""../../etc/shadow""#, #""/etc/shadow""#, #""a/b:1""#, #""\u0000""#, #""\ud800""#, #""\u202e\n""#,
        #""sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#, #""sha512:00""#,
        #"{"a":1,"a":2}"#, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "\"" + String(repeating: "x", count: 5000) + "\"",
    ]

    /// Half a megabyte of nothing.
    private static let bomb = "[" + String(repeating: "{},", count: 170_000) + "0]"
}
