import Synchronization

/// The last lines of a terminal, drawn anew five times a second for as long as something works.
final class LiveLines: Sendable {
    private let out: Console
    private let pencil = Mutex<Task<Void, Never>?>(nil)
    /// How many lines of ours stand on the screen; nil once nothing more is to be drawn.
    private let standing = Mutex<Int?>(0)

    init(on out: Console) { self.out = out }

    func begin(_ lines: @escaping @Sendable () -> [String]) {
        let task = Task { [weak self] in
            while !Task.isCancelled, let self {
                draw(lines)
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        pencil.withLock { $0 = task }
    }

    /// What is done scrolls away: this line stays where ours stood.
    func leave(_ line: String) { draw(forGood: true) { [line] } }

    /// Draws these a last time.
    func end(_ lines: () -> [String]) {
        pencil.withLock { $0?.cancel() }
        draw(lines)
        standing.withLock { $0 = nil }
    }

    /// Replaces what stands there, in one write so that nothing flickers.
    private func draw(forGood: Bool = false, _ lines: () -> [String]) {
        standing.withLock { standing in
            guard let old = standing else { return }
            let lines = lines()
            let erasure = old > 0 ? "\u{1b}[\(old)A\r\u{1b}[J" : ""
            out.write(lines.reduce(into: erasure) { $0 += $1 + "\n" })
            standing = forGood ? 0 : lines.count
        }
    }
}
