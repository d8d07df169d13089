import Images
import Install
import Kube
import Synchronization

/// What shows the work to whoever runs it.
protocol Display: Sendable {
    func show(_ event: Event)
    func finish()
}

/// A live view for a person, one event a line for a program, plain lines for a pipe.
func display(asJSON: Bool, verbose: Bool) -> any Display {
    if asJSON { return EventLines() }
    let out = Console.standardOutput
    return out.isTerminal && Console.usesColour ? LiveView(on: out) : PlainLines(verbose: verbose)
}

/// For a pipe or a file.
final class PlainLines: Display {
    private let verbose: Bool
    /// Before each line: whose it is.
    private let prefix: String
    private let lastNeed = Mutex("")
    private let lastTenth = Mutex<Int64>(-1)

    init(verbose: Bool, prefix: String = "") { (self.verbose, self.prefix) = (verbose, prefix) }

    func show(_ event: Event) {
        switch event {
        case .waiting(_, let need):
            // Asked twice a second; said once.
            let isNew = lastNeed.withLock { last in
                defer { last = need }
                return last != need
            }
            if isNew { line("        " + event.line) }
        case .moved(_, let bytes, let total):
            let tenth = total > 0 ? bytes * 10 / total : 10
            let isNew = lastTenth.withLock { last in
                defer { last = tenth }
                return last != tenth
            }
            if isNew && total > 10_000_000 { line("        " + event.line) }
        case .changing(_, let change):
            if verbose { line("      + \(change)") }
        case .changed(_, let change, let took):
            if !verbose { line("      + \(change.action) (\(took.seconds))") }
        case .loaded: line("        " + event.line)
        case .began, .settled: line(event.line)
        }
    }

    private func line(_ text: String) { Console.standardOutput.line(prefix + text) }

    func finish() {}
}

/// For a program: one JSON object a line.
struct EventLines: Display {
    func show(_ event: Event) { Console.standardOutput.line(event.json.text()) }
    func finish() {}
}

extension Event {
    var json: JSON {
        switch self {
        case .began(let stage, let title, let number, let total):
            [
                "event": "began", "stage": .string(stage), "title": .string(title), "number": .int(number),
                "of": .int(total),
            ]
        case .waiting(let stage, let need): ["event": "waiting", "stage": .string(stage), "for": .string(need)]
        case .changing(let stage, let change):
            [
                "event": "changing", "stage": .string(stage), "change": .string(change.action.description),
                "reason": .string(change.reason),
            ]
        case .moved(let stage, let bytes, let total):
            ["event": "moved", "stage": .string(stage), "bytes": .int(Int(bytes)), "of": .int(Int(total))]
        case .loaded(let stage, let effort):
            [
                "event": "loaded", "stage": .string(stage), "bytes": .int(Int(effort.bytes)),
                "milliseconds": .int(effort.took.milliseconds),
                "parts": .object(
                    Dictionary(
                        uniqueKeysWithValues: effort.parts.map { ($0.key.rawValue, .int($0.value.milliseconds)) })),
                "bound": effort.bound.map { .string($0.rawValue) } ?? .null,
                "slowestLayer": effort.slowest.map { .string($0.layer.blob.digest.description) } ?? .null,
                "slowestMilliseconds": effort.slowest.map { .int($0.took.milliseconds) } ?? .null,
            ]
        case .changed(let stage, let change, let took):
            [
                "event": "changed", "stage": .string(stage), "change": .string(change.action.description),
                "milliseconds": .int(took.milliseconds),
            ]
        case .settled(let stage, let changes, let took):
            [
                "event": "settled", "stage": .string(stage), "changes": .int(changes),
                "milliseconds": .int(took.milliseconds),
            ]
        }
    }
}

extension Duration {
    var milliseconds: Int { Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000) }
}
