/// A time as Go and Helm write it, "25m0s"; it keeps its text.
package struct Span: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let duration: Duration
    package var description: String { text }

    package init(seconds: Int) { (text, duration) = ("\(seconds)s", .seconds(seconds)) }

    package init?(_ text: String) {
        let units = ["h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1]
        var milliseconds = 0
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard digits.count <= 9, let number = Int(digits), let factor = units[String(unit)] else { return nil }
            milliseconds += number * factor
        }
        guard milliseconds > 0, milliseconds <= 7 * 24 * 3_600_000 else { return nil }
        (self.text, duration) = (text, .milliseconds(milliseconds))
    }
}
