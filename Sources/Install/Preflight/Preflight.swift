import Hosts
package import Kube

/// All the checks that are made before the first change.
package struct Preflight: Sendable {
    package var checks: [any Check]

    /// The check whose `--ignore` takes a bundle that lacks images.
    package static let completeness = "app.complete"

    package init(checks: [any Check]) { self.checks = checks }

    /// Asks all checks side by side, each command of theirs once. One that throws or takes longer than the
    /// limit is reported as unknown, so that none can hold up the others.
    package func run(
        on site: Site, limit: Duration = .seconds(20), ignoring ignored: Set<String> = []
    ) async -> [Report] {
        let head = AskedOnce(site.head.transport)
        let worker = site.worker.map { AskedOnce($0.host.transport) }
        var quiet = site
        quiet.head.transport = head
        if let worker { quiet.worker?.host.transport = worker }
        let reports = await reports(on: quiet, limit: limit, ignoring: ignored)
        await head.end()
        await worker?.end()
        return reports.sorted()
    }

    private func reports(on site: Site, limit: Duration, ignoring ignored: Set<String>) async -> [Report] {
        await withTaskGroup(of: Report.self) { group in
            for check in checks {
                group.addTask {
                    let finding = await Self.finding(of: check, on: site, limit: check.limit ?? limit)
                    return Report(
                        id: check.id, title: check.title, finding: finding, isIgnored: ignored.contains(check.id))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Those of the names that no check has: a misspelt `--ignore` must not pass silently.
    package func strangers(among names: Set<String>) -> [String] {
        names.subtracting(checks.map(\.id)).sorted()
    }

    /// Unstructured on purpose: a task group would wait for a check that does not heed its cancellation.
    private static func finding(of check: any Check, on site: Site, limit: Duration) async -> Finding {
        let (answers, answer) = AsyncStream.makeStream(of: Finding.self)
        let work = Task {
            do {
                answer.yield(try await check.finding(on: site))
            } catch {
                answer.yield(.unknown(because: "could not be measured: \(error)"))
            }
        }
        let clock = Task {
            try await Task.sleep(for: limit)
            answer.yield(.unknown(because: "could not be measured: no answer within \(limit.inSeconds) s"))
        }
        defer {
            work.cancel()
            clock.cancel()
        }
        for await finding in answers { return finding }
        return .unknown(because: "could not be measured: interrupted")
    }
}

/// What came of one check.
package struct Report: Equatable, Sendable {
    package var id: String
    package var title: String
    package var finding: Finding
    /// Named by `--ignore`: shown, and no reason to stop.
    package var isIgnored: Bool

    package init(id: String, title: String, finding: Finding, isIgnored: Bool = false) {
        (self.id, self.title, self.finding, self.isIgnored) = (id, title, finding, isIgnored)
    }

    /// Whether this alone stops the installation (exit status 4).
    package var stops: Bool { finding.verdict == .failed && !isIgnored }
    /// A check that could not be made counts as a warning.
    package var warns: Bool { finding.verdict == .warning || finding.verdict == .unknown }
}

extension Report: Comparable {
    private var rank: Int {
        switch finding.verdict {
        case .failed: isIgnored ? 1 : 0
        case .warning, .unknown: 2
        case .info: 3
        case .passed: 4
        }
    }

    /// The worst first, then by id.
    package static func < (one: Report, other: Report) -> Bool { (one.rank, one.id) < (other.rank, other.id) }
}

extension Report {
    package var json: JSON {
        var members: [String: JSON] = [
            "id": .string(id), "title": .string(title), "verdict": .string(finding.verdict.rawValue),
            "measured": .string(finding.measured), "threshold": .string(finding.threshold),
            "ignored": .bool(isIgnored), "repairable": .bool(!finding.repair.isEmpty),
        ]
        if let fix = finding.fix { members["fix"] = .string(fix) }
        return .object(members)
    }
}

extension [Report] {
    package var json: JSON { .array(map(\.json)) }
}

extension Duration {
    /// "20" or "0.05".
    fileprivate var inSeconds: String {
        let seconds = Double(components.seconds) + Double(components.attoseconds) / 1e18
        return seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
    }
}
