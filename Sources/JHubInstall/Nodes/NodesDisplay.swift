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
    private let out: Console
    private let pencil = Mutex<Task<Void, Never>?>(nil)
    private let state = Mutex(State())

    struct State {
        /// In the order in which they were first heard of.
        var names: [String] = []
        var stages: [String: String] = [:]
        var works: [String: String] = [:]
        var drawn = 0
    }

    init(on out: Console) {
        self.out = out
        pencil.withLock { pencil in
            pencil = Task { [weak self] in
                while !Task.isCancelled, let self {
                    draw()
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    func show(_ event: Event, of node: String) {
        state.withLock { state in
            if !state.names.contains(node) { state.names.append(node) }
            switch event {
            case .began(_, let title, _, _): (state.stages[node], state.works[node]) = (title, "")
            case .waiting(_, let need): state.works[node] = "waits for \(need)"
            case .changing(_, let change): state.works[node] = "\(change.action)"
            case .moved(_, let bytes, let total): state.works[node] = "\(bytes.asBytes) of \(total.asBytes)"
            case .changed, .loaded: break
            case .settled(_, _, let took): state.works[node] = "settled (\(took.seconds))"
            }
        }
    }

    func finish() {
        pencil.withLock { $0?.cancel() }
        draw()
    }

    private func draw() {
        state.withLock { state in
            let width = state.names.map(\.count).max() ?? 0
            var text = state.drawn > 0 ? "\u{1b}[\(state.drawn)A\r\u{1b}[J" : ""
            for name in state.names {
                let line =
                    "\(name.padded(to: width))  \((state.stages[name] ?? "").padded(to: 28))  \(state.works[name] ?? "")"
                text += line.cut(to: out.size.columns - 1) + "\n"
            }
            out.write(text)
            state.drawn = state.names.count
        }
    }
}
