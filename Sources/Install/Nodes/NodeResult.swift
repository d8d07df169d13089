/// What became of one machine.
package struct NodeResult: Sendable {
    package var entry: NodeEntry
    /// How many changes it took, or why it stopped.
    package var outcome: Result<Int, NodeFailure>

    package init(entry: NodeEntry, outcome: Result<Int, NodeFailure>) { (self.entry, self.outcome) = (entry, outcome) }

    package var failure: NodeFailure? { if case .failure(let failure) = outcome { failure } else { nil } }
}

package struct NodeFailure: Error, CustomStringConvertible {
    /// "connect", "preflight", or the name of the stage.
    package var stage: String
    package var reasons: [String]
    /// What to do.
    package var next: String
    /// Nothing was changed on the machine.
    package var isUntouched: Bool
    package var wasInterrupted = false

    package init(stage: String, reasons: [String], next: String, isUntouched: Bool = false) {
        (self.stage, self.reasons, self.next, self.isUntouched) = (stage, reasons, next, isUntouched)
    }

    init(_ error: any Error, in stage: String, isUntouched: Bool = false) {
        if let failure = error as? NodeFailure {
            self = failure
        } else {
            self.init(
                stage: stage, reasons: ["\(error)"], next: "mend that, and run the same command again",
                isUntouched: isUntouched)
            wasInterrupted = error as? InstallError == .interrupted
        }
    }

    package var description: String { "\(stage): \(reasons.joined(separator: "; "))" }
}
