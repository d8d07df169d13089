import Install
import Kube
import Synchronization

/// What shows the work on many machines at once.
protocol NodesDisplay: Sendable {
    func show(_ event: Event, of node: String)
    func finish()
}

/// A line a machine for a person, one event a line for a program, plain lines with the machine's name for a pipe.
func nodesDisplay(asJSON: Bool, verbose: Bool) -> any NodesDisplay {
    if asJSON { return NodeEvents() }
    let out = Console.standardOutput
    return out.isTerminal && Console.usesColour ? NodesView(on: out) : NodeLines(verbose: verbose)
}

/// For a program: one JSON object a line.
struct NodeEvents: NodesDisplay {
    func show(_ event: Event, of node: String) {
        guard case .object(var members) = event.json else { return }
        members["node"] = .string(node)
        Console.standardOutput.line(JSON.object(members).text())
    }

    func finish() {}
}

/// For a pipe or a file.
final class NodeLines: NodesDisplay {
    private let verbose: Bool
    private let displays = Mutex<[String: PlainLines]>([:])

    init(verbose: Bool) { self.verbose = verbose }

    func show(_ event: Event, of node: String) {
        let display = displays.withLock { displays in
            let display = displays[node] ?? PlainLines(verbose: verbose, prefix: node + "  ")
            displays[node] = display
            return display
        }
        display.show(event)
    }

    func finish() {}
}

/// For a person: a line a machine, drawn anew five times a second.
final class NodesView: NodesDisplay {
    private let lines: LiveLines
    private let out: Console
    private let state = Mutex(State())

    private struct State {
        /// In the order in which they were first heard of.
        var names: [String] = []
        var stages: [String: String] = [:]
        var works: [String: String] = [:]
        /// When the bytes that are on their way to it began to move.
        var sending: [String: ContinuousClock.Instant] = [:]
    }

    init(on out: Console) {
        (self.out, lines) = (out, LiveLines(on: out))
        lines.begin { [weak self] in self?.current() ?? [] }
    }

    func show(_ event: Event, of node: String) {
        state.withLock { state in
            if !state.names.contains(node) { state.names.append(node) }
            switch event {
            case .began(_, let title, _, _): (state.stages[node], state.works[node]) = (title, "")
            case .waiting(_, let need): state.works[node] = "waits for \(need)"
            case .changing(_, let change): (state.works[node], state.sending[node]) = ("\(change.action)", .now)
            case .moved(_, let bytes, let total):
                let elapsed = state.sending[node]?.duration(to: .now) ?? .zero
                state.works[node] = ByteBar(done: bytes, total: total, elapsed: elapsed).words
            case .changed, .loaded: break
            case .settled(_, _, let took): state.works[node] = "settled (\(took.seconds))"
            }
        }
    }

    func finish() { lines.end(current) }

    private func current() -> [String] {
        state.withLock { state in
            let width = state.names.map(\.count).max() ?? 0
            return state.names.map { name in
                let (stage, work) = (state.stages[name] ?? "", state.works[name] ?? "")
                return "\(name.padded(to: width))  \(stage.padded(to: 28))  \(work)".cut(to: out.size.columns - 1)
            }
        }
    }
}
