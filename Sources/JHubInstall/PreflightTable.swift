import Install
import Kube

/// The reports of preflight, for a person or a program.
struct PreflightTable {
    var reports: [Report]
    /// Also what passed.
    var everything: Bool

    init(_ reports: [Report], everything: Bool) { (self.reports, self.everything) = (reports, everything) }

    /// For several machines each line of JSON says whose it is.
    func print(asJSON: Bool, of node: String? = nil) {
        if asJSON {
            for report in reports {
                guard case .object(var line) = report.json else { continue }
                line["event"] = "preflight"
                line["node"] = node.map { .string($0) }
                Console.standardOutput.line(JSON.object(line).text())
            }
            return
        }
        let out = Console.standardOutput
        for report in reports where everything || report.finding.verdict != .passed && report.finding.verdict != .info {
            let mark = out.coloured(report.mark.text, report.mark.colour)
            out.line("\(mark) \(report.id.padded(to: 20)) \(report.finding.measured)")
            guard report.finding.verdict != .passed, report.finding.verdict != .info else { continue }
            if !report.finding.threshold.isEmpty { out.line("       needs \(report.finding.threshold)") }
            if let fix = report.finding.fix { out.line("       fix   \(fix)") }
        }
        let failed = reports.filter(\.stops).count
        let warned = reports.filter(\.warns).count
        out.line("preflight: \(reports.count) checks, \(failed) failed, \(warned) with a warning")
    }

    /// What is wrong with the config or the bundle is told apart from what is wrong with the machine.
    static func throwIfStopped(_ reports: [Report]) throws {
        let stopping = reports.filter(\.stops)
        guard !stopping.isEmpty else { return }
        throw stopping.allSatisfy(\.isAboutInput) ? ExitStatus.wrongInput : ExitStatus.preflight
    }
}

extension Report {
    /// It looks at what was carried in, not at the machine.
    fileprivate var isAboutInput: Bool {
        id.hasPrefix("app.") || ["snap.assert", "snap.bases", "snap.bundle"].contains(id)
    }
}

extension Report {
    fileprivate var mark: (text: String, colour: Colour) {
        switch finding.verdict {
        case .failed: isIgnored ? ("ignore", .yellow) : ("FAIL  ", .red)
        case .warning: ("warn  ", .yellow)
        case .unknown: ("?     ", .yellow)
        case .info: ("info  ", .plain)
        case .passed: ("ok    ", .green)
        }
    }

    /// The whole report in one line, for the log.
    var line: String {
        "\(id) \(finding.verdict.rawValue): \(finding.measured)" + (finding.fix.map { "; \($0)" } ?? "")
    }
}
