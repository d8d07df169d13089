/// An amount as Kubernetes writes it, "128Gi" or "500m"; it keeps its text.
package struct Quantity: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    /// In thousandths, the finest step there is; what is finer is rounded up, as Kubernetes does.
    package let millis: Int
    package var description: String { text }

    package static let zero = Quantity(millis: 0, text: "0")

    private init(millis: Int, text: String) { (self.millis, self.text) = (millis, text) }

    /// Whole units: bytes, cores, things.
    package var units: Int { millis / 1000 + (millis % 1000 > 0 ? 1 : 0) }
    package var bytes: Int { units }

    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = text.dropFirst(digits.count)
        guard let scale = Self.scales[String(suffix)] else { return nil }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, digits.contains(where: \.isNumber), parts.allSatisfy({ $0.count <= 18 }) else {
            return nil
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard let number = UInt(parts[0] + fraction) else { return nil }
        guard let millis = Self.product(number, scale, places: fraction.count) else { return nil }
        (self.text, self.millis) = (text, millis)
    }

    /// number × scale ÷ 10^places, rounded up; nil where that is too large.
    private static func product(_ number: UInt, _ scale: UInt, places: Int) -> Int? {
        let divisor = (0..<places).reduce(UInt(1)) { power, _ in power * 10 }
        let wide = number.multipliedFullWidth(by: scale)
        guard wide.high < divisor else { return nil }
        let (quotient, remainder) = divisor.dividingFullWidth(wide)
        guard let whole = Int(exactly: quotient), whole < Int.max else { return nil }
        return remainder > 0 ? whole + 1 : whole
    }

    /// Thousandths in one of each.
    private static let scales: [String: UInt] = [
        "m": 1, "": 1000, "k": 1_000_000, "M": 1_000_000_000, "G": 1_000_000_000_000, "T": 1_000_000_000_000_000,
        "P": 1_000_000_000_000_000_000,
        "Ki": 1000 << 10, "Mi": 1000 << 20, "Gi": 1000 << 30, "Ti": 1000 << 40, "Pi": 1000 << 50,
    ]
}

extension Quantity: Comparable {
    package static func < (one: Quantity, other: Quantity) -> Bool { one.millis < other.millis }
}
