/// One question about the machine, the bundle or the settings, answered without changing anything.
package protocol Check: Sendable {
    /// Stable: it is what `--ignore` takes and what `docs/preflight.md` is sorted by.
    var id: String { get }
    /// The claim that is checked: "The installer runs as root".
    var title: String { get }
    /// How long it may take, where the runner's limit would be too short.
    var limit: Duration? { get }
    /// What it cannot measure it throws; the runner makes `.unknown` of that.
    func finding(on site: Site) async throws -> Finding
}

extension Check {
    package var limit: Duration? { nil }
}

/// What a check found.
package struct Finding: Equatable, Sendable {
    package enum Verdict: String, Sendable { case passed, info, warning, failed, unknown }

    package var verdict: Verdict
    package var measured: String
    /// What would have passed.
    package var threshold: String
    /// A command or a sentence; nil where nothing is to be done.
    package var fix: String?
    /// What `--fix` makes and records. Only what is safe and can be taken back.
    package var repair: [Change]

    init(
        _ verdict: Verdict, _ measured: String, needs threshold: String, fix: String? = nil, repair: [Change] = []
    ) {
        (self.verdict, self.measured, self.threshold) = (verdict, measured, threshold)
        (self.fix, self.repair) = (fix, repair)
    }
}

extension Finding {
    static func passed(_ measured: String, needs threshold: String) -> Finding {
        Finding(.passed, measured, needs: threshold)
    }

    static func info(_ measured: String, needs threshold: String, fix: String? = nil) -> Finding {
        Finding(.info, measured, needs: threshold, fix: fix)
    }

    static func warning(_ measured: String, needs threshold: String, fix: String, repair: [Change] = []) -> Finding {
        Finding(.warning, measured, needs: threshold, fix: fix, repair: repair)
    }

    static func failed(_ measured: String, needs threshold: String, fix: String, repair: [Change] = []) -> Finding {
        Finding(.failed, measured, needs: threshold, fix: fix, repair: repair)
    }

    static func unknown(because reason: String, needs threshold: String = "", fix: String? = nil) -> Finding {
        Finding(.unknown, reason, needs: threshold, fix: fix)
    }
}
