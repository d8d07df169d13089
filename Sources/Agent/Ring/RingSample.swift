package import GPUs

/// What the ring keeps of a moment: what changes from one to the next, not what the GPUs are.
package struct RingSample: Codable, Sendable {
    package var number: UInt64
    package var node: String
    package var boot: String
    package var taken: Moment
    package var driver: DriverStatus.State
    package var verdict: Verdict.State
    package var gpus: [OfGPU]
    package var owners: [ProcessOwner]
    package var machine: NodeSample
    /// Faults that no earlier sample of the ring has.
    package var xids: [XIDEvent]
    /// The highest number of a line in the kernel's log among all faults of this boot so far.
    package var lastXID: UInt64?

    package struct OfGPU: Codable, Sendable {
        package var bus: PCIAddress
        package var uuid: String?
        package var isVisible: Bool
        package var verdict: Verdict.State
        package var idle: Idle?
        package var sample: Sample?
    }

    /// - Parameter last: the newest of the ring, by which it is known which faults are new.
    package init(_ report: Report, number: UInt64, after last: RingSample?) {
        self.number = number
        (node, boot, taken) = (report.node, report.boot, report.snapshot.taken)
        (driver, verdict) = (report.snapshot.driver.state, report.snapshot.node.state)
        gpus = report.snapshot.gpus.map { gpu in
            OfGPU(
                bus: gpu.gpu.bus, uuid: gpu.gpu.uuid, isVisible: gpu.isVisible, verdict: gpu.verdict.state,
                idle: gpu.idle, sample: gpu.isVisible ? gpu.sample : nil)
        }
        (owners, machine) = (report.owners, report.machine)
        let known = last?.boot == report.boot ? last : nil
        // The kernel's log has all that NVML reports, with numbers; NVML alone counts where nobody can read the log.
        let isLogged = report.snapshot.kernelLogFault == nil
        xids = report.snapshot.xids.filter { event in
            guard event.sequence != nil || !isLogged else { return false }
            guard let known else { return true }
            if let sequence = event.sequence { return known.lastXID.map { sequence > $0 } ?? true }
            return event.moment.uptime > known.taken.uptime
        }
        lastXID = (xids.compactMap(\.sequence) + [known?.lastXID].compactMap(\.self)).max()
    }
}
