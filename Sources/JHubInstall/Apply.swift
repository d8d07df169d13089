import ArgumentParser
import Install

struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the machine what the config says.",
        discussion: """
            First preflight, then the stages in order; 'jhub-install' alone is the same. What is there already is not done \
            again. Interrupt it once (Ctrl-C) and it finishes the change in hand, then stops; interrupt it twice and it ends \
            at once. Run it again to go on.
            """)

    @OptionGroup var options: SiteOptions
    @OptionGroup var trust: TrustOptions

    @Option(
        name: .customLong("ignore"),
        help: ArgumentHelp(
            "Go on although this check of preflight fails; may be repeated.",
            discussion: "The summary names it. With \(Preflight.completeness) images that are nowhere are left out.",
            valueName: "id"))
    var ignored: [String] = []

    @Flag(name: .shortAndLong, help: "Go on in spite of preflight's warnings, without asking.")
    var yes = false

    @Option(
        help: ArgumentHelp(
            "How long a stage may wait for the cluster.", discussion: "Default: each stage's own, 1 to 15 minutes.",
            valueName: "seconds"))
    var patience: Int?

    func validate() throws {
        if let patience, !(1...86_400).contains(patience) {
            throw ValidationError("--patience takes seconds, from 1 to 86400, not \(patience)")
        }
    }

    func run() async throws {
        var site = try options.site()
        site.sparesAbsentImages = ignored.contains(Preflight.completeness)
        try requireRoot()
        let preflight = Preflight.standard(for: site)
        let strangers = preflight.strangers(among: Set(ignored))
        guard strangers.isEmpty else {
            throw ValidationError("no check of preflight is called \(strangers.joined(separator: ", "))")
        }
        let work = try Work(purpose: "jhub-install apply", asJSON: options.config.json, verbose: options.verbose)
        let trust = try work.pass(site.bundle, trust)
        let failed = try await pass(preflight, on: site, log: work.log)
        try await work.carryOut(options.stages, on: site, patience: patience.map { .seconds($0) }) { [site] made in
            try await Summary(of: site, changes: made, trust: trust, ignored: failed).print(asJSON: options.config.json)
        }
    }

    /// Returns what failed and is ignored.
    private func pass(_ preflight: Preflight, on site: Site, log: LogFile) async throws -> [Report] {
        let reports = await preflight.run(on: site, ignoring: Set(ignored))
        for report in reports where report.stops || report.warns || report.isIgnored {
            log.line("preflight: \(report.line)")
        }
        PreflightTable(reports, everything: options.verbose).print(asJSON: options.config.json)
        try PreflightTable.throwIfStopped(reports)
        if reports.contains(where: \.warns), !yes, Console.isInteractive, !options.config.json {
            guard Console.asksToGoOn("Preflight has warnings. Go on?") else { throw ExitStatus.preflight }
        }
        return reports.filter { $0.isIgnored && $0.finding.verdict == .failed }
    }
}
