import CSSH2
import Glibc
import SystemPackage

/// Another machine, over one SSH connection.
///
/// All of it runs on one thread, the loop's. libssh2 never blocks there: who has to wait leaves the thread to others.
package actor SSHTransport: Transport {
    /// How the machine is called in errors.
    nonisolated let name: String
    let target: SSHTarget
    /// How many bytes of each output stream, or of a file, are kept before it is an error.
    let largest: Int
    nonisolated let loop: EventLoop
    let wire: Wire
    let session: Session
    /// The connection that this one goes through, which lives as long.
    let below: SSHTransport?
    var channels: [Int: Channel] = [:]
    /// Those whose far end waits for another request.
    var idle: [Int] = []
    var forwards: [FilePath: Int32] = [:]
    /// libssh2 opens one channel at a time.
    private let opening = Gate(1)
    /// OpenSSH's MaxSessions is 10.
    let sessions = Gate(8)
    /// As the host counts them.
    var openSessions = 0
    private var lastChannel = 0
    private var isFlushing = false
    /// Why there is no connection any more.
    var loss: String?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        _ target: SSHTarget, name: String, largest: Int, loop: EventLoop, wire: consuming sending Wire,
        through below: SSHTransport?, hostKeyTypes: [String]
    ) {
        (self.target, self.name, self.largest, self.loop, self.below) = (target, name, largest, loop, below)
        self.wire = wire
        session = Session(on: wire, hostKeyTypes: hostKeyTypes, compresses: target.compresses)
    }

    deinit { loop.stop() }

    /// Ends the connection, its forwards, and the commands that still run.
    package func close() async {
        end()
        await below?.close()
    }

    /// As `close`, but what it went through stays.
    func end() {
        lose("the connection was closed")
        for path in forwards.keys { endForward(path) }
    }

    var shownKey: HostKey? { session.hostKey }

    func lose(_ reason: String) {
        if loss == nil { loss = reason }
        wire.cut()
        shutdown(wire.descriptor, Int32(SHUT_RDWR))
        loop.wake(wire.descriptor)
    }

    /// Why something of libssh2's failed.
    var complaint: String {
        loss ?? wire.fault.map { "the connection was lost (\($0))" } ?? session.complaint
    }

    /// One call of libssh2's, which does not wait.
    func step<Answer>(_ call: () -> Answer) -> Answer {
        let before = wire.received
        let answer = call()
        flush()
        // It may have taken in what others wait for.
        if wire.received != before || wire.fault != nil { loop.wake(wire.descriptor) }
        return answer
    }

    /// A call until it need not wait, or the time is over: then its answer is `LIBSSH2_ERROR_EAGAIN`.
    func patiently(until deadline: ContinuousClock.Instant? = nil, _ call: () -> Int32) async -> Int32 {
        while true {
            let answer = step(call)
            if answer != LIBSSH2_ERROR_EAGAIN { return answer }
            if let deadline, deadline <= .now { return answer }
            await turn(until: deadline)
        }
    }

    /// Waits until something has come from the host.
    func turn(until deadline: ContinuousClock.Instant? = nil) async {
        await loop.readiness(of: wire.descriptor, for: POLLIN, until: deadline)
    }

    private func flush() {
        wire.flush()
        guard wire.hasUnsent, !isFlushing else { return }
        isFlushing = true
        Task {
            while wire.hasUnsent {
                await loop.readiness(of: wire.descriptor, for: POLLOUT)
                wire.flush()
                loop.wake(wire.descriptor)
            }
            isFlushing = false
        }
    }

    func open(_ type: String, _ message: [UInt8] = [], mark: String = "") async throws(ChannelError) -> Int {
        await opening.enter()
        defer { opening.leave() }
        while true {
            let raw = step {
                message.withUnsafeBytes { bytes in
                    libssh2_channel_open_ex(
                        session.raw, type, UInt32(type.utf8.count), 2 << 20, 32 << 10,
                        bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
                }
            }
            if let raw {
                lastChannel += 1
                channels[lastChannel] = Channel(raw, isSession: type == "session", mark: mark)
                return lastChannel
            }
            guard libssh2_session_last_errno(session.raw) == LIBSSH2_ERROR_EAGAIN else { throw ChannelError(complaint) }
            await turn()
        }
    }

    /// Asks a silent host for a sign of life, and gives it up when there is none.
    func keepAlive() {
        Task { [weak self, silence = target.limits.silence] in
            var (arrived, since) = (0, ContinuousClock.now)
            while let now = await self?.arrived {
                if now != arrived { (arrived, since) = (now, .now) }
                await self?.pulse(silentFor: .now - since)
                try? await Task.sleep(for: silence / 3)
            }
        }
    }

    private var arrived: Int? { loss == nil ? wire.arrived : nil }

    private func pulse(silentFor silence: Duration) {
        if silence >= target.limits.silence {
            lose("it has not answered for \(silence.components.seconds) s")
        } else {
            _ = step { libssh2_keepalive_send(session.raw, nil) }
        }
    }
}
