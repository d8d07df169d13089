import Glibc
import Synchronization
import SystemPackage

/// The one thread of a connection: it runs the connection's work, and sleeps until a descriptor is ready.
///
/// libssh2 takes one thread at a time for a session, and a wait in poll(2) would hold one of the few threads that all
/// tasks share.
final class EventLoop: SerialExecutor {
    struct Wait {
        var descriptor: Int32
        var events: Int16
        var deadline: ContinuousClock.Instant?
        var continuation: CheckedContinuation<Void, Never>

        init(
            _ descriptor: Int32, _ events: Int32, _ deadline: ContinuousClock.Instant?,
            _ continuation: CheckedContinuation<Void, Never>
        ) {
            (self.descriptor, self.events, self.deadline) = (descriptor, Int16(events), deadline)
            self.continuation = continuation
        }
    }

    struct State {
        var jobs: [UnownedJob] = []
        var waits: [Wait] = []
        var isAsleep = false
        var isOver = false
    }

    private let state = Mutex(State())
    /// What is written to one is read from the other.
    private let hammer: Int32
    private let bell: Int32

    /// It runs until it is told to stop.
    init() throws(Errno) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        try system { socketpair(AF_UNIX, kind, 0, &ends) }
        (hammer, bell) = (ends[0], ends[1])
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { loop in
                if let loop { Unmanaged<EventLoop>.fromOpaque(loop).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else {
            Unmanaged.passUnretained(self).release()
            throw Errno(rawValue: code)
        }
        pthread_detach(thread)
    }

    deinit {
        close(hammer)
        close(bell)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        change { $0.jobs.append(job) }
    }

    /// Waits until the descriptor can be read or written (`POLLIN`, `POLLOUT`), is woken or broken, or it is too late.
    func readiness(of descriptor: Int32, for events: Int32, until deadline: ContinuousClock.Instant? = nil) async {
        await withCheckedContinuation { wait(Wait(descriptor, events, deadline, $0)) }
    }

    /// The same, for whoever may be cancelled.
    func readinessOrCancellation(
        of descriptor: Int32, for events: Int32, until deadline: ContinuousClock.Instant? = nil
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(Wait(descriptor, events, deadline, continuation))
                // The handler may have come too early for this wait.
                if Task.isCancelled { wake(descriptor) }
            }
        } onCancel: {
            wake(descriptor)
        }
    }

    /// Ends all waits for the descriptor.
    func wake(_ descriptor: Int32) { resume { $0.descriptor == descriptor } }

    /// Ends the thread. Nobody waits for it any more.
    func stop() { change { $0.isOver = true } }

    private func wait(_ wait: Wait) { change { $0.waits.append(wait) } }

    private func change(_ body: (inout State) -> Void) {
        let wasAsleep = state.withLock { state in
            body(&state)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if wasAsleep { _ = write(hammer, "!", 1) }
    }

    private func resume(where isDue: (Wait) -> Bool) {
        let due = state.withLock { state in
            let border = state.waits.partition(by: isDue)
            defer { state.waits.removeSubrange(border...) }
            return state.waits[border...].map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    private func run() {
        while true {
            let (jobs, isOver) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isOver)
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            if jobs.isEmpty && isOver { return }
            sleep()
        }
    }

    private func sleep() {
        let (waits, hasJobs) = state.withLock { state in
            state.isAsleep = state.jobs.isEmpty && !state.isOver
            return (state.waits.map { ($0.descriptor, $0.events, $0.deadline) }, !state.isAsleep)
        }
        var watched = waits.map { pollfd(fd: $0.0, events: $0.1, revents: 0) }
        watched.append(pollfd(fd: bell, events: Int16(POLLIN), revents: 0))
        let patience = waits.compactMap(\.2).min().map { max(.zero, ContinuousClock.now.duration(to: $0)) }
        // A millisecond more, so that the deadline is over when we wake.
        let timeout = hasJobs ? 0 : patience.map { Int32($0 / .milliseconds(1)) + 1 } ?? -1
        let count = poll(&watched, nfds_t(watched.count), timeout)
        state.withLock { $0.isAsleep = false }
        // There is one stroke at most: who strikes finds us awake next.
        var stroke: UInt8 = 0
        if watched.last?.revents != 0 { _ = read(bell, &stroke, 1) }
        let now = ContinuousClock.now
        let ready = count > 0 ? watched.filter { $0.revents != 0 } : []
        resume { wait in
            if let deadline = wait.deadline, deadline <= now { return true }
            // What is broken is ready too: whoever uses it learns why.
            let events = wait.events | Int16(POLLERR | POLLHUP | POLLNVAL)
            return ready.contains { $0.fd == wait.descriptor && $0.revents & events != 0 }
        }
    }
}
