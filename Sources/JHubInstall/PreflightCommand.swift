import ArgumentParser
import Install

import struct Foundation.Date

struct PreflightCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preflight",
        abstract: "Checks whether this machine can take the installation.",
        discussion: """
            Each line has a check's id, what was found and, if that will not do, what is needed and how to mend it. Nothing is \
            changed unless --fix is given. Exit status 4 if a check fails, 2 if all that fails is the bundle or the config. \
            docs/preflight.md explains every check.
            """)

    @OptionGroup var options: SiteOptions
    @OptionGroup var trust: TrustOptions

    @Flag(help: "Repair what is safe to repair, and record it.")
    var fix = false

    @Option(
        name: .customLong("ignore"),
        help: ArgumentHelp("Do not count this check as failed; may be repeated.", valueName: "id"))
    var ignored: [String] = []

    func run() async throws {
        let site = try options.site()
        let preflight = Preflight.standard(for: site)
        let strangers = preflight.strangers(among: Set(ignored))
        guard strangers.isEmpty else {
            throw ValidationError("no check of preflight is called \(strangers.joined(separator: ", "))")
        }
        // Checks run programs of the bundle.
        _ = try trust.pass(site.bundle)
        var reports = await preflight.run(on: site, ignoring: Set(ignored))
        let repairs = reports.flatMap(\.finding.repair)
        if fix && !repairs.isEmpty {
            try requireRoot()
            let lock = try Lock(purpose: "jhub-install preflight --fix")
            let stage = Repairs(repairs)
            let installer = Installer(stages: [stage], record: Record(run: Date().formatted(.iso8601)), lock: lock)
            for repair in repairs { try await installer.make(repair, of: stage, on: site) }
            reports = await preflight.run(on: site, ignoring: Set(ignored))
        }
        PreflightTable(reports, everything: true).print(asJSON: options.config.json)
        try PreflightTable.throwIfStopped(reports)
    }
}

/// The repairs of preflight, as a stage, so that they are recorded as all changes are.
private struct Repairs: Stage {
    let name = "preflight"
    let title = "Repair what preflight found"
    var changes: [Change]
    init(_ changes: [Change]) { self.changes = changes }
    func plan(for site: Site) async throws -> Plan { .of(changes) }
}
