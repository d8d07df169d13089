/// A version of Debian's: [EPOCH:]UPSTREAM[-REVISION], ordered as deb-version(7) says.
struct PackageVersion: Comparable, Sendable {
    private let epoch: Int
    private let upstream: Substring
    private let revision: Substring

    init(_ text: String) {
        var rest = text[...]
        epoch =
            rest.firstIndex(of: ":").flatMap { colon in
                defer { rest = rest[rest.index(after: colon)...] }
                return Int(rest[..<colon])
            } ?? 0
        let dash = rest.lastIndex(of: "-")
        upstream = dash.map { rest[..<$0] } ?? rest
        revision = dash.map { rest[rest.index(after: $0)...] } ?? ""
    }

    static func == (one: Self, other: Self) -> Bool { !(one < other) && !(other < one) }

    static func < (one: Self, other: Self) -> Bool {
        if one.epoch != other.epoch { return one.epoch < other.epoch }
        let upstream = compare(one.upstream, other.upstream)
        return (upstream != 0 ? upstream : compare(one.revision, other.revision)) < 0
    }

    /// Whether it stands so to the other, as "<<", "<=", "=", ">=" or ">>".
    func stands(_ relation: some StringProtocol, to other: Self) -> Bool {
        switch relation {
        case "<<": self < other
        case "<=": self <= other
        case ">=": self >= other
        case ">>": self > other
        default: self == other
        }
    }

    /// By turns what is no digit, letter by letter, and numbers.
    private static func compare(_ one: Substring, _ other: Substring) -> Int {
        var (one, other) = (Array(one.utf8)[...], Array(other.utf8)[...])
        while !one.isEmpty || !other.isEmpty {
            let (left, right) = (one.prefix { !isDigit($0) }, other.prefix { !isDigit($0) })
            for index in 0..<max(left.count, right.count) + 1 {
                let (a, b) = (weight(left.dropFirst(index).first), weight(right.dropFirst(index).first))
                if a != b { return a - b }
            }
            (one, other) = (one.dropFirst(left.count), other.dropFirst(right.count))
            let (a, b) = (number(&one), number(&other))
            if a.count != b.count { return a.count - b.count }
            if let place = zip(a, b).first(where: { $0 != $1 }) { return Int(place.0) - Int(place.1) }
        }
        return 0
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    /// A tilde comes before the end, letters before all else.
    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return (65...90).contains(byte) || (97...122).contains(byte) ? Int(byte) : Int(byte) + 256
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix(while: isDigit)
        rest = rest.dropFirst(digits.count)
        return digits.drop { $0 == 48 }
    }
}
