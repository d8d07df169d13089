extension Settings {
    /// What is wrong with a value, to stand behind the key's name.
    package struct Complaint: Error, Hashable {
        package var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// What a value has to look like, and what it is then.
    package struct Kind<Value: Sendable>: Sendable {
        /// In words: "a port, 1 to 65535".
        var form: String
        /// What stands for nothing.
        var blank: Value
        var read: @Sendable (String) throws(Complaint) -> Value
        var write: @Sendable (Value) -> String
        var isPath = false
    }
}

extension Settings.Kind {
    /// Nothing, or the other kind.
    static func optional<Wrapped>(_ kind: Settings.Kind<Wrapped>) -> Self where Value == Wrapped? {
        Self(
            form: kind.form, blank: nil,
            read: { text throws(Settings.Complaint) in text.isEmpty ? nil : try kind.read(text) },
            write: { value in value.map(kind.write) ?? "" }, isPath: kind.isPath)
    }

    /// Any number of the other kind, between commas or blanks.
    static func list<Element>(of kind: Settings.Kind<Element>, _ separators: Set<Character> = [","]) -> Self
    where Value == [Element] {
        Self(
            form: "\(kind.form), or several with \(separators.contains(",") ? "commas" : "blanks") between",
            blank: [],
            read: { text throws(Settings.Complaint) in
                var list: [Element] = []
                for item in text.split(whereSeparator: { separators.contains($0) || $0.isNewline }) {
                    let item = item.trimmed
                    if !item.isEmpty { list.append(try kind.read(item)) }
                }
                return list
            },
            write: { list in list.map(kind.write).joined(separator: separators.contains(",") ? "," : " ") })
    }
}

extension Settings.Kind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the words of an enumeration, in any case; `aliases` are old words for them,
    /// and `refused` ones get a reason of their own.
    static func word(_ blank: Value, aliases: [String: Value] = [:], refused: [String: String] = [:]) -> Self {
        let words = Value.allCases.map(\.rawValue)
        return Self(
            form: words.joined(separator: ", "), blank: blank,
            read: { text throws(Settings.Complaint) in
                let small = text.lowercased()
                if let value = Value.allCases.first(where: { $0.rawValue.lowercased() == small }) ?? aliases[small] {
                    return value
                }
                if let reason = refused[small] { throw Settings.Complaint(reason) }
                throw Settings.Complaint("'\(text)' is none of \(words.joined(separator: ", "))")
            },
            write: { $0.rawValue })
    }
}

extension Settings.Kind where Value == Bool {
    static var flag: Self {
        Self(
            form: "true or false", blank: false,
            read: { text throws(Settings.Complaint) in
                switch text.lowercased() {
                case "true", "yes", "1": true
                case "false", "no", "0": false
                default: throw Settings.Complaint("'\(text)' is neither true nor false")
                }
            },
            write: { $0 ? "true" : "false" })
    }
}

extension Settings.Kind where Value == Int {
    static func number(_ range: ClosedRange<Int>, _ name: String) -> Self {
        let form = "\(name), \(range.lowerBound) to \(range.upperBound)"
        return Self(
            form: form, blank: range.lowerBound,
            read: { text throws(Settings.Complaint) in
                let isPlain = text.utf8.allSatisfy { (48...57).contains($0) }
                guard isPlain, let number = Int(text), range.contains(number) else {
                    throw Settings.Complaint("'\(text)' is not \(form)")
                }
                return number
            },
            write: { String($0) })
    }

    static var port: Self { number(1...65535, "a port") }
    static var nodePort: Self { number(30000...32767, "a NodePort") }
    static var seconds: Self { number(1...31_536_000, "a number of seconds") }
    static func count(_ range: ClosedRange<Int> = 0...1_000_000) -> Self { number(range, "a whole number") }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = self
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest.drop(while: \.isWhitespace))
    }
}
