package import GPUs

/// What the GPUs of a node are.
package struct Inventory: Codable, Sendable {
    package var node: String
    package var driver: DriverStatus
    package var gpus: [GPU]
    /// By bus: PCI has them, and the driver has lost them.
    package var lost: [PCIAddress]

    package init(_ report: Report) {
        (node, driver) = (report.node, report.snapshot.driver)
        gpus = report.snapshot.gpus.map(\.gpu)
        lost = report.snapshot.gpus.filter { !$0.isVisible }.map(\.gpu.bus)
    }
}

/// How the GPUs of a node stand: `/v1/health`, and `/run/jhub/health.json`.
package struct Health: Codable, Sendable {
    package var node: String
    package var taken: Moment
    package var driver: DriverStatus.State
    package var verdict: Judgement
    package var gpus: [Judgement]

    /// A verdict with what it asks for.
    package struct Judgement: Codable, Hashable, Sendable {
        package var bus: PCIAddress?
        package var index: Int?
        package var uuid: String?
        package var state: Verdict.State
        package var since: Moment
        package var findings: [Finding]
        /// By NVIDIA's catalogue.
        package var action: Action
        package var advice: String

        init(_ verdict: Verdict, of gpu: GPU? = nil) {
            (bus, index, uuid) = (gpu?.bus, gpu?.index, gpu?.uuid)
            (state, since, findings) = (verdict.state, verdict.since, verdict.findings)
            (action, advice) = (verdict.action, verdict.action.advice)
        }
    }

    package init(_ snapshot: Snapshot, node: String) {
        (self.node, taken, driver) = (node, snapshot.taken, snapshot.driver.state)
        verdict = Judgement(snapshot.node)
        gpus = snapshot.gpus.map { Judgement($0.verdict, of: $0.gpu) }
    }
}

extension Health {
    /// One for the node and one for each GPU, the node first.
    package var lines: [String] { ([verdict] + gpus).map(\.line) }
}

extension Health.Judgement {
    /// What is worth a line in the journal when it changes: numbers in the evidence are not.
    var gist: [String] { [state.rawValue] + findings.map(\.rule.rawValue) }
    static let well = [Verdict.State.healthy.rawValue]

    /// For the journal: "GPU 3 (0000:3b:00.0) is unhealthy: …".
    var line: String {
        let name = bus.map { bus in (index.map { "GPU \($0) " } ?? "a GPU ") + "(\(bus))" } ?? "the node"
        guard let worst = findings.first else { return "\(name) is \(state.rawValue)" }
        return "\(name) is \(state.rawValue): \(worst.evidence); \(advice)"
    }
}
