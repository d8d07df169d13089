/// How a GPU, or the whole node, stands.
package struct Verdict: Hashable, Sendable, Codable {
    /// From best to worst. Not to know is worse than to limp: nobody should put work there.
    package enum State: String, Sendable, Codable, CaseIterable {
        case healthy, degraded, unknown, unhealthy
    }

    package var state: State
    /// Since when it is in this state.
    package var since: Moment
    /// What speaks against it, the worst first. Empty if and only if it is healthy.
    package var findings: [Finding]

    package init(_ state: State, since: Moment, findings: [Finding] = []) {
        (self.state, self.since, self.findings) = (state, since, findings)
    }

    /// What the worst finding asks for.
    package var action: Action { findings.first?.action ?? .none }
}

/// One thing that is amiss.
package struct Finding: Hashable, Sendable, Codable {
    package var rule: Rule
    package var state: Verdict.State
    package var since: Moment
    /// What was seen, with numbers: "3 uncorrected memory errors since the driver was loaded".
    package var evidence: String
    package var action: Action

    package init(_ rule: Rule, _ state: Verdict.State, since: Moment, _ evidence: String, _ action: Action) {
        (self.rule, self.state, self.since, self.evidence, self.action) = (rule, state, since, evidence, action)
    }
}

/// What is looked for. The names are for machines, and do not change.
package enum Rule: String, Sendable, Codable, CaseIterable {
    case driver
    case lost
    case hungCall = "hung-call"
    case noSample = "no-sample"
    case callFailed = "call-failed"
    case resetRequired = "reset-required"
    case recovery
    case xid
    case uncorrectedMemoryErrors = "ecc-uncorrected"
    case remappingPending = "remapping-pending"
    case remappingFailed = "remapping-failed"
    case retirementPending = "retirement-pending"
    case nvlinkErrors = "nvlink-errors"
    case nvlinkDown = "nvlink-down"
    case pcieReplays = "pcie-replays"
    case pcieWidth = "pcie-width"
    case thermalSlowdown = "thermal-slowdown"
    case powerBrake = "power-brake"
    case fabric
    case fabricManager = "fabric-manager"
    /// On the node: an NVSwitch failed.
    case sxid
    /// On the node: some GPU is not well.
    case gpu
}

extension Verdict.State: Comparable {
    package static func < (one: Self, other: Self) -> Bool { one.rank < other.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
