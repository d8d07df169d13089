import Dispatch
import Synchronization

/// Hands the pieces of one blob from the thread that reads to the thread that
/// sends. Each waits for the other, so that few of them are in memory.
final class Pipe: Sendable {
    struct State {
        var pieces: [[UInt8]] = []
        var isBegun = false
        /// Nobody wants the rest.
        var isDiscarded = false
        var failure: ImageError?
    }

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)
    private let filled = DispatchSemaphore(value: 0)
    private static let depth = 2

    init() {
        // Not as its first value: libdispatch wants a semaphore to end with at least that.
        for _ in 0..<Self.depth { room.signal() }
    }

    func put(_ piece: [UInt8]) throws(ImageError) {
        room.wait()
        let (isDiscarded, failure) = state.withLock { state in
            if !state.isDiscarded { state.pieces.append(piece) }
            return (state.isDiscarded, state.failure)
        }
        if let failure { throw failure }
        if isDiscarded { room.signal() } else { filled.signal() }
    }

    func finish() { filled.signal() }

    /// The next piece, or nil after the last.
    func next() throws(ImageError) -> [UInt8]? {
        filled.wait()
        let (piece, failure): ([UInt8]?, ImageError?) = state.withLock { state in
            state.isBegun = true
            return (state.pieces.isEmpty ? nil : state.pieces.removeFirst(), state.failure)
        }
        if let failure { throw failure }
        room.signal()
        return piece
    }

    /// Lets whoever reads go on, and forgets what comes.
    func discard() {
        state.withLock { ($0.isDiscarded, $0.pieces) = (true, []) }
        room.signal()
    }

    /// Wakes both ends with this.
    func fail(_ error: ImageError) {
        state.withLock { if $0.failure == nil { $0.failure = error } }
        room.signal()
        filled.signal()
    }

    /// Nothing has been taken from it.
    var isFull: Bool { state.withLock { !$0.isBegun } }

    var failure: ImageError? { state.withLock(\.failure) }
}

/// Takes parcels from the thread that reads to those who send them. Only two are under way, one that comes and one that is
/// settled: each holds some pieces in memory, and small blobs would all come at once.
struct Belt<Parcel: Sendable>: Sendable {
    let parcels: AsyncStream<Parcel>
    private let end: AsyncStream<Parcel>.Continuation
    private let room = DispatchSemaphore(value: 0)

    init() {
        (parcels, end) = AsyncStream.makeStream(of: Parcel.self)
        for _ in 0..<2 { room.signal() }
    }

    func waitForRoom() { room.wait() }
    /// False where nobody takes anything any more.
    func put(_ parcel: Parcel) -> Bool {
        if case .terminated = end.yield(parcel) { false } else { true }
    }
    /// One of those that were put on it is done with.
    func clear() { room.signal() }
    func finish() { end.finish() }
}
