import Bundles
import Kube
import Synchronization

/// Shows bytes as they are worked through: a line drawn anew on a terminal, one for each tenth in a pipe, one event a
/// second for a program.
final class ByteProgress: Sendable {
    private let what: String
    private let json: Bool
    private let state = Mutex(State())

    struct State: Sendable {
        var began = ContinuousClock.now
        var shown: ContinuousClock.Instant?
        var tenth: Int64 = 0
        var isDrawn = false
    }

    init(_ what: String, json: Bool) { (self.what, self.json) = (what, json) }

    /// Called from any thread, some hundred times a second.
    var report: ByteReport { { [self] done, total in show(done, total) } }

    private func show(_ done: Int64, _ total: Int64) {
        let out = Console.standardOutput
        state.withLock { state in
            if state.shown == nil { state.began = .now }
            let isTerminal = out.isTerminal && !json
            let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(1)
            if let shown = state.shown, shown.duration(to: .now) < pause { return }
            state.shown = .now
            let bar = ByteBar(done: done, total: total, elapsed: state.began.duration(to: .now))
            if json {
                let event: JSON = [
                    "event": "moved", "what": .string(what), "bytes": .int(Int(done)), "of": .int(Int(total)),
                ]
                out.line(event.text())
            } else if isTerminal {
                out.write("\r\u{1b}[K\(what) \(bar.text(width: out.size.columns - what.count - 2))")
                state.isDrawn = true
            } else if bar.tenth > state.tenth {
                state.tenth = bar.tenth
                out.line("  \(what): \(done.asBytes) of \(total.asBytes)")
            }
        }
    }

    /// Takes the line off the terminal.
    func finish() {
        state.withLock { state in
            if state.isDrawn { Console.standardOutput.write("\r\u{1b}[K") }
            state.isDrawn = false
        }
    }
}
