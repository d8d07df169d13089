import Synchronization

/// What loading took, and what of it took how long. The parts overlap.
package struct Effort: Hashable, Sendable {
    package enum Part: String, Hashable, Sendable, CaseIterable {
        /// The archive, inflated where it is compressed as a whole.
        case reading
        /// containerd takes blobs, hashes them and brings them to the disk.
        case storing
        /// containerd inflates layers and writes their files.
        case unpacking
    }

    package struct Unpacked: Hashable, Sendable {
        package var layer: Layer
        package var took: Duration
    }

    /// Sent to the store.
    package var bytes: Int64 = 0
    package var took: Duration = .zero
    /// For how long at least one was at it.
    package var parts: [Part: Duration] = [:]
    /// The layer that took longest to unpack.
    package var slowest: Unpacked?

    package init() {}

    /// What was at work longest: nothing that leaves it as it is makes the whole much faster.
    package var bound: Part? { parts.max { $0.value < $1.value }?.key }
}

/// Takes the time of what goes on side by side.
final class Meter: Sendable {
    struct State {
        var effort = Effort()
        var active: [Effort.Part: Int] = [:]
        var since: [Effort.Part: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now

    func begin(_ part: Effort.Part) {
        state.withLock { state in
            state.active[part, default: 0] += 1
            if state.active[part] == 1 { state.since[part] = .now }
        }
    }

    func end(_ part: Effort.Part) {
        state.withLock { state in
            state.active[part, default: 1] -= 1
            guard state.active[part] == 0, let since = state.since[part] else { return }
            state.effort.parts[part, default: .zero] += since.duration(to: .now)
        }
    }

    func moved(_ bytes: Int64) { state.withLock { $0.effort.bytes += bytes } }

    func unpacked(_ layer: Layer, in time: Duration) {
        state.withLock { state in
            if time > state.effort.slowest?.took ?? .zero {
                state.effort.slowest = Effort.Unpacked(layer: layer, took: time)
            }
        }
    }

    var effort: Effort {
        state.withLock { state in
            state.effort.took = start.duration(to: .now)
            return state.effort
        }
    }
}
