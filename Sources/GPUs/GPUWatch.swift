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

    /// Watches until the task is cancelled. Faults are states of the snapshot, so nothing is thrown.
    package func run() async {
        // Not awaited: it may hang in the driver for ever.
        let asking = Task { await ask() }
        defer { asking.cancel() }
        while !Task.isCancelled {
            await lookAtMachine()
            // Verdicts begin when there is reason for them, not when somebody asks.
            _ = snapshot()
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

/// The ledger, with a lock around it.
private final class Board: Sendable {
    let calls = CallWatch()
    private let ledger: Mutex<Ledger>

    init(_ limits: Ledger.Limits) { ledger = Mutex(Ledger(limits, at: .now)) }

    func take(_ news: DriverNews) { ledger.withLock { $0.take(news) } }

    func take(_ machine: Ledger.Machine, _ lines: [DriverLine]) {
        ledger.withLock { ledger in
            ledger.take(machine, at: .now)
            ledger.take(lines)
        }
    }

    func snapshot(at now: Moment) -> Snapshot {
        ledger.withLock { $0.snapshot(at: now, pending: calls.current) }
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
