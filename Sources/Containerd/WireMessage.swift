/// A message in Protocol Buffers' wire format: its fields by number, as far as
/// containerd's messages need them (numbers, texts, bytes, messages, maps of texts).
package struct WireMessage: Hashable, Sendable {
    private enum Value: Hashable, Sendable {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private struct Field: Hashable, Sendable {
        var number: Int
        var value: Value
    }

    private var fields: [Field] = []

    package init() {}
}

// What is left out has the default value: zero, or nothing.
extension WireMessage {
    package func number(_ field: Int) -> Int64 {
        for case let candidate in fields.reversed() where candidate.number == field {
            if case .number(let value) = candidate.value { return Int64(bitPattern: value) }
        }
        return 0
    }

    package func bytes(_ field: Int) -> ArraySlice<UInt8> { all(field).last ?? [] }
    package func text(_ field: Int) -> String { String(decoding: bytes(field), as: UTF8.self) }

    package func message(_ field: Int) throws(WireError) -> WireMessage { try WireMessage(parsing: bytes(field)) }

    package func messages(_ field: Int) throws(WireError) -> [WireMessage] {
        var messages: [WireMessage] = []
        for bytes in all(field) { messages.append(try WireMessage(parsing: bytes)) }
        return messages
    }

    package func map(_ field: Int) throws(WireError) -> [String: String] {
        var map: [String: String] = [:]
        for entry in try messages(field) { map[entry.text(1)] = entry.text(2) }
        return map
    }

    private func all(_ field: Int) -> [ArraySlice<UInt8>] {
        fields.compactMap { candidate in
            if candidate.number == field, case .bytes(let bytes) = candidate.value { bytes } else { nil }
        }
    }
}

extension WireMessage {
    package mutating func set(_ field: Int, _ value: Int64) {
        if value != 0 { fields.append(Field(number: field, value: .number(UInt64(bitPattern: value)))) }
    }

    package mutating func set(_ field: Int, _ bytes: [UInt8]) {
        if !bytes.isEmpty { fields.append(Field(number: field, value: .bytes(bytes[...]))) }
    }

    package mutating func set(_ field: Int, _ text: String) { set(field, Array(text.utf8)) }

    /// A message is there also where it is empty.
    package mutating func add(_ field: Int, _ message: WireMessage) {
        fields.append(Field(number: field, value: .bytes(message.encoded[...])))
    }

    package mutating func add(_ field: Int, _ text: String) {
        fields.append(Field(number: field, value: .bytes(Array(text.utf8)[...])))
    }

    package mutating func set(_ field: Int, _ map: [String: String]) {
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            var entry = WireMessage()
            entry.set(1, key)
            entry.set(2, value)
            add(field, entry)
        }
    }
}

// The format: https://protobuf.dev/programming-guides/encoding
extension WireMessage {
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            fields.reduce(0) { sum, field in
                if case .bytes(let bytes) = field.value { sum + bytes.count + 20 } else { sum + 20 }
            })
        for field in fields {
            switch field.value {
            case .number(let value):
                Self.append(UInt64(field.number) << 3, to: &bytes)
                Self.append(value, to: &bytes)
            case .bytes(let value):
                Self.append(UInt64(field.number) << 3 | 2, to: &bytes)
                Self.append(UInt64(value.count), to: &bytes)
                bytes += value
            }
        }
        return bytes
    }

    package init(parsing bytes: ArraySlice<UInt8>) throws(WireError) {
        var rest = bytes
        while !rest.isEmpty {
            let key = try Self.varint(&rest)
            guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw WireError("a field has the number \(key >> 3)") }
            let number = Int(key >> 3)
            switch key & 7 {
            case 0: fields.append(Field(number: number, value: .number(try Self.varint(&rest))))
            case 1: _ = try Self.take(8, from: &rest)
            case 2:
                let count = try Self.varint(&rest)
                fields.append(Field(number: number, value: .bytes(try Self.take(count, from: &rest))))
            case 5: _ = try Self.take(4, from: &rest)
            default: throw WireError("field \(number) is of the unknown kind \(key & 7)")
            }
        }
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw WireError("it ends in a number") }
            guard shift < 63 || byte <= 1 else { throw WireError("a number has more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw WireError("a number has more than 64 bits")
    }

    private static func take(_ count: UInt64, from rest: inout ArraySlice<UInt8>) throws(WireError) -> ArraySlice<UInt8>
    {
        guard count <= rest.count else { throw WireError("it ends \(count - UInt64(rest.count)) bytes early") }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }
}

/// Bytes that are no message.
package struct WireError: Error, Hashable, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}
