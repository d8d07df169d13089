@testable import Agent
@testable import GPUs

/// A node of a test's making: two GPUs, the second lost when asked for, and a user on the first.
struct Machine {
    var snapshot: Snapshot
    var owners: [ProcessOwner] = []
    var sample = NodeSample(disks: [])

    static let now = Moment(time: 1_760_000_000, uptime: 5000)

    init(lost: Bool = false) {
        let buses = [PCIAddress(bus: 0x3b), PCIAddress(bus: 0x5e)]
        var reports: [GPUReport] = []
        for (index, bus) in buses.enumerated() {
            var gpu = GPU(bus: bus)
            (gpu.index, gpu.uuid, gpu.minor) = (index, "GPU-0000000\(index)-1111", index)
            (gpu.model, gpu.memory) = ("NVIDIA H100 80GB HBM3", 85_520_809_984)
            var sample = Sample(taken: Self.now)
            (sample.utilization, sample.power, sample.energy, sample.smClock) = (97, 612_345, 1_234_567, 1980)
            sample.memory = Sample.Memory(total: 85_520_809_984, used: 40 << 30, free: 30 << 30)
            sample.processes = index == 0 ? [GPUProcess(pid: 41, kind: .compute, memory: 39 << 30)] : []
            let verdict = Verdict(.healthy, since: Self.now.advanced(by: -60))
            reports.append(GPUReport(gpu: gpu, sample: sample, verdict: verdict, idle: nil, isVisible: true))
        }
        var driver = DriverStatus(.ready, since: Self.now)
        (driver.version, driver.cuda, driver.openings) = ("550.54.15", "12.4", 1)
        snapshot = Snapshot(
            taken: Self.now, driver: driver, gpus: reports, node: Verdict(.healthy, since: Self.now.advanced(by: -60)),
            xids: [], xidCounts: [], kernelLogFault: nil)
        var owner = Owner()
        (owner.user, owner.pod, owner.namespace, owner.name) = ("anna", "jupyter-anna", "jhub", "notebook")
        owners = [ProcessOwner(pid: 41, owner: owner)]
        if lost { lose(1) }
    }

    mutating func lose(_ index: Int) {
        let finding = Finding(.lost, .unhealthy, since: Self.now, "PCI shows it, the driver does not", .reboot)
        snapshot.gpus[index].isVisible = false
        snapshot.gpus[index].verdict = Verdict(.unhealthy, since: Self.now, findings: [finding])
        let one = Finding(.gpu, .unhealthy, since: Self.now, "1 of 2 GPUs is unhealthy", .reboot)
        snapshot.node = Verdict(.unhealthy, since: Self.now, findings: [one])
    }

    var report: Report { Report(node: "node1", boot: "b", snapshot: snapshot, owners: owners, machine: sample) }

    /// The lines of one family in Prometheus' text.
    func lines(_ name: String, of metrics: [Metric] = Metric.all) -> [String] {
        let exposition = Exposition(of: metrics.filter { $0.name == name }, in: report)
        return String(decoding: exposition.text, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") }
    }
}
