import Dispatch
import Images
import Synchronization
import SystemPackage

/// Hashes files over all cores, span by span.
struct ContentCheck: Sendable {
    let folder: BundleFolder
    let spans: Spans
    /// The numbers of the spans to look at, rising.
    let work: [Int]
    /// Where a check that is ended early is remembered; nil if nowhere.
    var memory: CheckMemory?
    var report: ByteReport = { _, _ in }
    /// Asked before each span: true ends the check.
    var isInterrupted: @Sendable () -> Bool = { false }

    struct Result: Sendable {
        var damages: Set<Damage> = []
        var isComplete = true
        var throughput = Throughput()
    }

    /// What the threads share.
    struct State: Sendable {
        /// Of `work`: the turn that nobody has taken.
        var next = 0
        var taken: Set<Int> = []
        var result = Result()
        var saved = ContinuousClock.now

        mutating func take(of count: Int) -> Int? {
            guard next < count else { return nil }
            taken.insert(next)
            next += 1
            return next - 1
        }
    }

    /// Each thread holds one small buffer. It blocks.
    func run() -> Result {
        let began = ContinuousClock.now
        let total = work.reduce(Int64(0)) { $0 + Int64(spans[$1].bytes.count) }
        let state = Mutex(State())
        let tally = Tally(total, report)
        DispatchQueue.concurrentPerform(iterations: min(Parallel.cores, max(1, work.count))) { _ in
            var reader = SpanReader(folder.pieces)
            while let turn = state.withLock({ $0.take(of: work.count) }) {
                if isInterrupted() {
                    state.withLock { $0.result.isComplete = false }
                    break
                }
                if turn + Parallel.cores < work.count { reader.announce(spans[work[turn + Parallel.cores]]) }
                let span = spans[work[turn]]
                let damage = damage(of: span, by: &reader)
                tally.add(Int64(span.bytes.count))
                let done = state.withLock { state -> (Int, Set<Damage>)? in
                    state.taken.remove(turn)
                    if let damage { state.result.damages.insert(damage) }
                    state.result.throughput.bytes += Int64(span.bytes.count)
                    guard state.saved.duration(to: .now) > .milliseconds(500) else { return nil }
                    state.saved = .now
                    return (state.taken.min() ?? state.next, state.result.damages)
                }
                if let done { memory?.save(upTo: work[min(done.0, work.count - 1)], done.1) }
            }
            state.withLock { state in
                state.result.throughput.reading += reader.reading
                state.result.throughput.hashing += reader.working
            }
        }
        let (result, left) = state.withLock { state in
            state.result.throughput.took = began.duration(to: .now)
            return (state.result, state.taken.min() ?? state.next)
        }
        if !result.isComplete { memory?.save(upTo: work[min(left, work.count - 1)], result.damages) }
        return result
    }

    private func damage(of span: Span, by reader: inout SpanReader) -> Damage? {
        let path = span.file.path
        switch reader.prove(span) {
        case (_, true): return nil
        // What a volume or a stick lacks is told by its listing.
        case (.unreadable(_, .noSuchFileOrDirectory), _): return nil
        case (.unreadable(let place, let why), _):
            return .unreadable(path, index: span.chunk, at: place, why: "\(why)")
        case (.short, _), (.whole, _):
            let pieces = folder.pieces(of: span.file)
            // The bytes of a volume that is missing are told by its number.
            guard let first = pieces.first, pieces.cover(span.bytes) else { return nil }
            return spans.areChunks ? .chunk(path, index: span.chunk, bytes: span.bytes) : .file(path, at: first.file)
        }
    }
}

/// How fast a check was, and why not faster.
package struct Throughput: Hashable, Sendable {
    package var bytes: Int64 = 0
    package var took: Duration = .zero
    /// What all threads together waited for reads.
    package var reading: Duration = .zero
    /// What all threads together hashed.
    package var hashing: Duration = .zero

    /// Bytes in a second.
    package var rate: Double { Double(bytes) / max(took / .seconds(1), 1e-9) }
    package var isBoundByDisk: Bool { reading > hashing }
}
