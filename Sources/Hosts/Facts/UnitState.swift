/// What systemd says of a unit. A unit that it has never heard of is inactive, or unknown to older versions.
package struct UnitState: Fact {
    package enum Value: String, Sendable {
        case active, reloading, refreshing, inactive, failed, activating, deactivating, maintenance, unknown
    }

    package var unit: String
    package init(_ unit: String) { self.unit = unit }

    package var command: Command { ["systemctl", "is-active", unit] }

    package func value(of outcome: Outcome) throws(FactError) -> Value {
        let word = String(outcome.output.prefix { !$0.isWhitespace })
        guard let value = Value(rawValue: word) else {
            let words = word.isEmpty ? outcome.errors.firstLine : word
            throw FactError("systemctl says of \(unit): '\(words)' (exit status \(outcome.status))")
        }
        return value
    }
}

extension String {
    var firstLine: String { split(whereSeparator: \.isNewline).first.map(String.init) ?? "" }
}
