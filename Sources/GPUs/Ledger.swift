/// All that is known, and the verdicts. A value: it asks nobody and knows no time but what it is told.
struct Ledger {
    private var driver: DriverStatus
    private var charts: [PCIAddress: Chart] = [:]
    private var xids = XIDLog()
    private var node: Verdict
    private var machine = Machine()
    private let limits: Limits

    /// In seconds.
    struct Limits {
        /// Of a call of NVML.
        var call: Double
        /// Of opening NVML, which wakes all GPUs.
        var opening: Double = 60
        var sampleLife: Double
    }

    /// What the kernel shows.
    struct Machine: Hashable {
        var pci: [PCIBus.Device] = []
        var moduleVersion: String?
        /// Nil: nobody looked, for there is no NVSwitch.
        var fabricManagerRuns: Bool?
        var kernelLogFault: String?
    }

    init(_ limits: Limits, at now: Moment) {
        self.limits = limits
        driver = DriverStatus(.starting, since: now)
        node = Verdict(.unknown, since: now)
    }

    mutating func take(_ news: DriverNews) {
        switch news {
        case .status(let status):
            let before = driver
            driver = status
            (driver.lastRound, driver.roundDuration, driver.rounds) =
                (before.lastRound, before.roundDuration, before.rounds)
            if status.state != .ready { for bus in charts.keys { charts[bus]?.disappear(isMissed: false) } }
        case .description(let gpu):
            charts[gpu.bus, default: Chart(gpu, at: .now)].take(gpu)
        case .sample(let bus, let sample):
            charts[bus, default: Chart(GPU(bus: bus), at: sample.taken)].take(sample)
        case .unreachable(let bus, let error):
            charts[bus, default: Chart(GPU(bus: bus), at: .now)].takeSilence(error)
        case .round(let shown, let ended, let duration):
            (driver.lastRound, driver.roundDuration) = (ended, duration)
            driver.rounds += 1
            for bus in charts.keys where !shown.contains(bus) { charts[bus]?.disappear(isMissed: true) }
        case .xid(let event): xids.take(event)
        }
    }

    mutating func take(_ lines: [DriverLine]) {
        for line in lines { xids.take(line) }
    }

    /// Whether something is another than before. What the driver told meanwhile may change what the same machine means.
    @discardableResult
    mutating func take(_ machine: Machine, at now: Moment) -> Bool {
        let (before, known) = (self.machine, charts.count)
        self.machine = machine
        let shown = Dictionary(
            machine.pci.filter { $0.kind == .gpu }.map { ($0.bus, $0) }, uniquingKeysWith: { first, _ in first })
        for bus in shown.keys where charts[bus] == nil { charts[bus] = Chart(GPU(bus: bus), at: now) }
        for bus in charts.keys { charts[bus]?.pci = shown[bus] }
        // A GPU that was given to a virtual machine is none of ours.
        charts = charts.filter { $0.value.isVisible || $0.value.pci?.driver != "vfio-pci" }
        return machine != before || charts.count != known
    }

    /// Finds the verdicts anew, for time alone can change them.
    mutating func snapshot(at now: Moment, pending: PendingCall?) -> Snapshot {
        driver.hung = pending.flatMap { isOverdue($0, at: now) ? $0 : nil }
        driver.moduleVersion = machine.moduleVersion
        let about = Circumstances(now: now, driver: driver, sampleLife: limits.sampleLife, xids: xids)
        for (bus, chart) in charts {
            charts[bus]?.verdict = chart.verdict.renewed(by: chart.symptoms(about), at: now)
        }
        let reports = charts.values.map(\.report).sorted { one, other in
            (one.gpu.index ?? .max, one.gpu.bus) < (other.gpu.index ?? .max, other.gpu.bus)
        }
        node = node.renewed(by: symptoms(reports), at: now)
        return Snapshot(
            taken: now, driver: driver, gpus: reports, node: node, xids: xids.recent, xidCounts: xids.counts,
            switchFaults: xids.switchFaults, kernelLogFault: machine.kernelLogFault)
    }

    private func isOverdue(_ call: PendingCall, at now: Moment) -> Bool {
        let limit = call.call.hasPrefix("nvmlInit") ? limits.opening : limits.call
        return now.seconds(since: call.since) > limit
    }

    private func symptoms(_ reports: [GPUReport]) -> [Symptom] {
        var found: [Symptom] = []
        // Whether there are GPUs at all is not known before NVML has answered once.
        if reports.isEmpty, driver.state == .starting { found += [driver.symptom].compactMap(\.self) }
        if let worst = reports.max(by: { $0.verdict.state < $1.verdict.state }), worst.verdict.state > .healthy {
            let ill = reports.filter { $0.verdict.state > .healthy }
            let names = ill.map(\.gpu.bus.description).joined(separator: ", ")
            let evidence = "\(ill.count) of \(reports.count) GPUs: \(names)"
            found.append(Symptom(.gpu, worst.verdict.state, evidence, worst.verdict.action))
        }
        if driver.state == .ready, let installed = driver.installed, let version = driver.version,
            installed != version
        {
            let evidence = "the library on disk is of \(installed), the driver that runs is \(version)"
            found.append(Symptom(.driver, .degraded, "\(evidence); containers that start now fail", .reboot))
        }
        if machine.fabricManagerRuns == false {
            let evidence = "the machine has NVSwitches, and no Fabric Manager runs"
            found.append(Symptom(.fabricManager, .unhealthy, evidence, .restartFabricManager))
        }
        return found + xids.presentSwitchFaults.compactMap { Symptom($0) }
    }
}

extension Chart {
    fileprivate var report: GPUReport {
        GPUReport(gpu: gpu, sample: sample, verdict: verdict, idle: idle, isVisible: isVisible)
    }
}
