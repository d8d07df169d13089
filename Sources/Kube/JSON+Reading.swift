extension JSON {
    /// Reads one document; whatever stands after it but white space is an error.
    package init(parsing bytes: some Sequence<UInt8>) throws(JSONError) {
        var reader = JSONReader(Array(bytes))
        self = try reader.document()
    }

    package init(parsing text: String) throws(JSONError) { try self.init(parsing: text.utf8) }
}

package struct JSONError: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

private struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    /// An answer nested deeper than this is no honest one, and would use up the stack.
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSON {
        let value = try self.value()
        skipSpace()
        guard position == bytes.count else { throw wrong("something after the document") }
        return value
    }

    private mutating func value() throws(JSONError) -> JSON {
        skipSpace()
        switch try next() {
        case UInt8(ascii: "{"): return try nested { (reader) throws(JSONError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(JSONError) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("rue", .bool(true))
        case UInt8(ascii: "f"): return try word("alse", .bool(false))
        case UInt8(ascii: "n"): return try word("ull", .null)
        default:
            position -= 1
            return try number()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) throws(JSONError) -> JSON) throws(JSONError) -> JSON {
        depth += 1
        guard depth <= 512 else { throw wrong("a value nested too deep") }
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(JSONError) -> JSON {
        var members: [String: JSON] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard take("\"") else { throw wrong("no name of a member") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw wrong("no colon after a member's name") }
            members[name] = try value()
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw wrong("no comma between members") }
        }
    }

    private mutating func array() throws(JSONError) -> JSON {
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw wrong("no comma between elements") }
        }
    }

    private mutating func string() throws(JSONError) -> String {
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try escaped()
            case 0..<0x20: throw wrong("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    private mutating func escaped() throws(JSONError) -> [UInt8] {
        let byte = try next()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(Character(try scalar())).utf8)
        default: throw wrong("an unknown escape")
        }
    }

    /// After `\u`: one scalar, for which a surrogate wants its second half. A half alone becomes U+FFFD.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let first = try fourDigits()
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        let before = position
        guard take("\\"), take("u") else {
            position = before
            return "\u{FFFD}"
        }
        let second = try fourDigits()
        guard (0xDC00..<0xE000).contains(second) else {
            position = before
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try next())).hexDigitValue else {
                throw wrong("a bad \\u escape")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let digits = text.drop { $0 == "-" }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first),
            !(digits.count > 1 && first == 0x30 && digits.dropFirst().first?.isNumber == true)
        else { throw wrong(text.isEmpty ? "no value" : "the number '\(text)'") }
        if let int = Int(text) { return .int(int) }
        guard let double = Double(text), double.isFinite, text.last != "." else { throw wrong("the number '\(text)'") }
        return .double(double)
    }

    private mutating func word(_ rest: String, _ value: JSON) throws(JSONError) -> JSON {
        for expected in rest.utf8 {
            guard try next() == expected else { throw wrong("an unknown word") }
        }
        return value
    }

    private mutating func next() throws(JSONError) -> UInt8 {
        guard position < bytes.count else { throw JSONError("the JSON ends too early, after \(bytes.count) bytes") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    private func wrong(_ what: String) -> JSONError { JSONError("the JSON has \(what) at byte \(position)") }
}
