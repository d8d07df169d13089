/// What there is to know besides the GPU itself, when its verdict is found.
struct Circumstances {
    var now: Moment
    var driver: DriverStatus
    /// After how many seconds the last sample says nothing any more.
    var sampleLife: Double
    var xids: XIDLog
}

/// A finding whose beginning is still to be told.
struct Symptom {
    var rule: Rule
    var state: Verdict.State
    var evidence: String
    var action: Action
    /// Nil: since it was first noticed.
    var since: Moment?

    init(_ rule: Rule, _ state: Verdict.State, _ evidence: String, _ action: Action, since: Moment? = nil) {
        (self.rule, self.state, self.evidence, self.action, self.since) = (rule, state, evidence, action, since)
    }
}

extension Verdict {
    /// The verdict that these symptoms make. What was there before has begun when it began.
    func renewed(by symptoms: [Symptom], at now: Moment) -> Verdict {
        let begun = self.findings
        let found = symptoms.map { symptom in
            let known = begun.first { $0.rule == symptom.rule }
            let since = symptom.since ?? known?.since ?? now
            return Finding(symptom.rule, symptom.state, since: since, symptom.evidence, symptom.action)
        }
        let sorted = found.sorted { one, other in
            one.state == other.state ? one.since.seconds(since: other.since) < 0 : one.state > other.state
        }
        let state = sorted.first?.state ?? .healthy
        return Verdict(state, since: state == self.state ? since : sorted.first?.since ?? now, findings: sorted)
    }
}
