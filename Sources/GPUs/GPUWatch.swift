import Synchronization
package import SystemPackage

/// The GPUs of this node, watched. The driver is asked on a thread of its own; whoever wants to
/// know takes a snapshot, which waits for nobody.
package final class GPUWatch: Sendable {
    package struct Settings: Sendable {
        /// Of NVML; nil: the usual places.
        package var library: String?
        /// From one sample to the next.
        package var period: Duration = .seconds(1)
        /// After which a call of NVML counts as hung.
        package var callLimit: Duration = .seconds(5)
        /// After which a driver that was not there is looked for again.
        package var retry: Duration = .seconds(5)
        /// After which NVML is opened anew where it does not show a GPU.
        package var renewal: Duration = .seconds(60)
        /// How long the description of a GPU holds.
        package var descriptionLife: Duration = .seconds(30)
        package var sys: FilePath = "/sys"
        package var proc: FilePath = "/proc"
        package var kernelLog: FilePath = "/dev/kmsg"

        package init() {}
    }

    private let settings: Settings
    private let board: Board
    private let driver: Driver
    private let machine: MachineWatch

    package init(_ settings: Settings = Settings()) {
        let limit = settings.callLimit.inSeconds
        let board = Board(
            Ledger.Limits(call: limit, sampleLife: 3 * settings.period.inSeconds + limit))
        (self.settings, self.board) = (settings, board)
        driver = Driver(
            settings.library.map { [$0] } ?? NVML.usualPaths, watch: board.calls, retry: settings.retry.inSeconds,
            redescribe: settings.descriptionLife.inSeconds
        ) { board.take($0) }
        machine = MachineWatch(sys: settings.sys, proc: settings.proc, kernelLog: settings.kernelLog)
    }

    /// What is known now. It comes at once, from any thread.
    package func snapshot(at now: Moment = .now) -> Snapshot { board.snapshot(at: now) }

    /// Comes when there may be something new, and each second, while the watch runs.
    package func news() -> AsyncStream<Void> { board.news() }

    /// Watches until the task is cancelled. Faults are states of the snapshot, so nothing is thrown.
    package func run() async {
        // Not awaited: it may hang in the driver for ever.
        let asking = Task { await ask() }
        defer { asking.cancel() }
        while !Task.isCancelled {
            await lookAtMachine()
            // Verdicts begin when there is reason for them, not when somebody asks.
            _ = snapshot()
            board.ring()
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Looks once. It comes back after the limit of a call, even if the driver does not.
    package func look() async {
        await lookAtMachine()
        let (done, end) = AsyncStream.makeStream(of: Never.self)
        let asking = Task {
            await round()
            end.finish()
        }
        let patience = Task {
            while snapshot().driver.hung == nil { try await Task.sleep(for: settings.callLimit / 20) }
            end.finish()
        }
        for await _ in done {}
        asking.cancel()
        patience.cancel()
        await lookAtMachine()
    }

    private func ask() async {
        while !Task.isCancelled {
            let next = Moment.now.advanced(by: settings.period.inSeconds)
            await round()
            await driver.listen(until: next)
            let left = next.seconds(since: .now)
            if left > 0 { try? await Task.sleep(for: .seconds(left)) }
        }
    }

    private func round() async {
        let known = snapshot()
        let isMissing = known.driver.state == .ready && known.gpus.contains { !$0.isVisible }
        if isMissing, known.taken.seconds(since: known.driver.opened ?? known.taken) >= settings.renewal.inSeconds {
            await driver.renew()
        }
        await driver.round()
    }

    private func lookAtMachine() async {
        let (found, lines) = await machine.look()
        board.take(found, lines)
    }
}

/// The ledger, with a lock around it, and a bell.
private final class Board: Sendable {
    let calls = CallWatch()
    private let page: Mutex<Page>
    private let bells = Mutex<[AsyncStream<Void>.Continuation]>([])

    private struct Page {
        var ledger: Ledger
        /// What was given out last; nil: something has come since.
        var last: Snapshot?
    }

    /// In seconds. Time alone can change a verdict, if none so soon; several who ask at once get one answer.
    private static let freshness = 0.25

    init(_ limits: Ledger.Limits) { page = Mutex(Page(ledger: Ledger(limits, at: .now))) }

    func take(_ news: DriverNews) {
        page.withLock { page in
            page.ledger.take(news)
            page.last = nil
        }
        switch news {
        case .description, .sample, .unreachable: break  // its round comes yet
        case .status, .round, .xid: ring()
        }
    }

    func take(_ machine: Ledger.Machine, _ lines: [DriverLine]) {
        page.withLock { page in
            if page.ledger.take(machine, at: .now) || !lines.isEmpty { page.last = nil }
            page.ledger.take(lines)
        }
    }

    func snapshot(at now: Moment) -> Snapshot {
        page.withLock { page in
            if let last = page.last, (0..<Self.freshness).contains(now.seconds(since: last.taken)) { return last }
            let snapshot = page.ledger.snapshot(at: now, pending: calls.current)
            page.last = snapshot
            return snapshot
        }
    }

    func news() -> AsyncStream<Void> {
        let (news, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        bells.withLock { $0.append(bell) }
        return news
    }

    func ring() {
        bells.withLock { bells in
            for bell in bells { bell.yield() }
        }
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
