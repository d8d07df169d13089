import Install
import Synchronization

/// For a person: the stages that are done scroll away, and below them stands what is being done now,
/// with bytes and the time left, drawn anew five times a second.
final class LiveView: Display {
    private let out: Console
    private let lines: LiveLines
    private let state = Mutex(State())

    struct State {
        var title = ""
        var place = ""
        var began = ContinuousClock.now
        var work = ""
        var need = ""
        var bytes: Int64 = 0
        var total: Int64 = 0
        var sending = ContinuousClock.now
        var turn = 0
    }

    init(on out: Console) {
        (self.out, lines) = (out, LiveLines(on: out))
        lines.begin { [weak self] in self?.current() ?? [] }
    }

    func show(_ event: Event) {
        let done: String? = state.withLock { state in
            switch event {
            case .began(_, let title, let number, let total):
                state = State(title: title, place: "[\(number)/\(total)]", turn: state.turn)
            case .waiting(_, let need): (state.need, state.work) = (need, "")
            case .changing(_, let change):
                (state.work, state.need) = ("\(change.action)", "")
                (state.bytes, state.total, state.sending) = (0, 0, .now)
            case .moved(_, let bytes, let total): (state.bytes, state.total) = (bytes, total)
            case .changed: state.work = ""
            case .loaded: state.total = 0
            case .settled(_, let changes, let took):
                let words = changes == 0 ? "settled" : changes.of("change")
                let mark = out.coloured("ok", .green)
                defer { state.title = "" }
                return "\(state.place) \(mark) \(state.title.padded(to: 34)) \(words), \(took.seconds)"
            }
            return nil
        }
        if let done { lines.leave(done) }
    }

    func finish() { lines.end { [] } }

    private func current() -> [String] {
        state.withLock { state in
            guard !state.title.isEmpty else { return [] }
            state.turn += 1
            return state.lines(width: out.size.columns, out)
        }
    }
}

extension LiveView.State {
    private static let wheel = ["|", "/", "-", "\\"]

    fileprivate func lines(width: Int, _ out: Console) -> [String] {
        let took = began.duration(to: .now).components.seconds
        var lines = ["\(place) \(Self.wheel[turn % 4])  \(title) \(out.coloured("\(took) s", .dim))"]
        if !work.isEmpty { lines.append("      \(work)".cut(to: width - 1)) }
        if total > 0 {
            lines.append(
                "      \(ByteBar(done: bytes, total: total, elapsed: sending.duration(to: .now)).text(width: width))")
        }
        if !need.isEmpty { lines.append("      waits for \(need)".cut(to: width - 1)) }
        return lines
    }
}

extension String {
    /// At most so many characters, with a mark where something was left out.
    func cut(to width: Int) -> String { count <= width ? self : prefix(max(1, width - 1)) + "…" }
}
