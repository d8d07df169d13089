import FoundationEssentials

/// What JSONDecoder takes without a word, and a document may not have that others read after us.
package enum JSONText {
    /// Deep enough for everything that images have, with room.
    static let deepest = 32
    /// An index of a thousand images has some ten thousand values.
    static let mostValues = 200_000

    /// What is wrong with it, or nil: a key twice, of which each reader takes
    /// another; nesting or values without end; bytes that are no UTF-8. All
    /// else that is wrong the decoder says.
    package static func fault(in bytes: [UInt8]) -> String? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return "it is not UTF-8" }
        var open: [Set<ArraySlice<UInt8>>] = []
        var string = bytes[..<0]
        var values = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let end = endOfString(from: index, in: bytes)
                string = bytes[index..<end]
                index = end - 1
            case UInt8(ascii: ":"):
                let key = plain(string)
                if let last = open.indices.last, !open[last].insert(key).inserted {
                    return "it has the key \(String(decoding: key.prefix(100), as: UTF8.self)) twice"
                }
            case UInt8(ascii: "{"), UInt8(ascii: "["): open.append([])
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: ","): values += 1
            default: break
            }
            if open.count > deepest { return "it is nested deeper than \(deepest)" }
            if values > mostValues { return "it has more than \(mostValues) values" }
            index += 1
        }
        return nil
    }

    /// Behind its closing quote, or the end of the text.
    private static func endOfString(from start: Int, in bytes: [UInt8]) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.count)
    }

    /// The same key may be written with escapes and without.
    private static func plain(_ string: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard string.contains(UInt8(ascii: "\\")),
            let text = try? JSONDecoder().decode(String.self, from: Data(string))
        else { return string }
        return ArraySlice("\"\(text)\"".utf8)
    }
}
