/// Prometheus' text format, version 0.0.4.
struct Exposition {
    static let type = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text: [UInt8] = []

    init(of metrics: [Metric], in report: Report) {
        for metric in metrics { add(metric, metric.values(report)) }
    }

    /// Begins a family. One without a single value says nothing, as if it were not there.
    mutating func add(_ metric: Metric, _ values: [Metric.Value]) {
        guard !values.isEmpty else { return }
        line("# HELP \(metric.name) \(metric.help)")
        line("# TYPE \(metric.name) \(metric.kind.rawValue)")
        for value in values {
            let labels = value.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            line(
                labels.isEmpty
                    ? "\(metric.name) \(Self.number(value.number))"
                    : "\(metric.name){\(labels)} \(Self.number(value.number))")
        }
    }

    private mutating func line(_ line: String) {
        text += line.utf8
        text.append(UInt8(ascii: "\n"))
    }

    private static func number(_ number: Double) -> String {
        Int64(exactly: number).map { String($0) } ?? "\(number)"
    }

    private static func escaped(_ text: String) -> String {
        guard text.contains(where: { $0 == "\\" || $0 == "\"" || $0.isNewline }) else { return text }
        return text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case _ where character.isNewline: escaped += "\\n"
            default: escaped.append(character)
            }
        }
    }
}

/// One family: its name, what it means, and where its values come from.
struct Metric: Sendable {
    enum Kind: String, Sendable { case gauge, counter }

    struct Label: Sendable {
        var name: String
        var value: String
    }

    struct Value: Sendable {
        var labels: [Label]
        var number: Double
    }

    var name: String
    var kind: Kind
    var help: String
    var values: @Sendable (Report) -> [Value]

    /// Ours; those under DCGM's names are `ofDCGM`. What only a new snapshot or owner changes, and what always changes.
    static let all = ofSnapshot + ofMachine
    static let ofSnapshot = ofGPUs + ofHealth + ofDriver
}
