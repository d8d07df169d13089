import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PreflightList {
    /// Every check there is, whatever the provider.
    static func all() -> [any Check] {
        var settings = Settings()
        settings.enableNginxProxy = true
        let own = Preflight.standard(for: settings).checks
        settings.clusterProvider = .existing
        let known = Set(own.map(\.id))
        return own + Preflight.standard(for: settings).checks.filter { !known.contains($0.id) }
    }

    /// With those that are asked of a machine that is to become a worker.
    static func everywhere() -> [any Check] {
        let known = Set(all().map(\.id))
        return all() + Preflight.worker(for: Settings(), beside: []).checks.filter { !known.contains($0.id) }
    }

    @Test func everyCheckPassesOnAGoodMachine() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        machine.shelf = try await machine.neededImages()
        machine.settings.enableNginxProxy = true
        let preflight = Preflight.standard(for: machine.settings, Carried(machine.shelf))
        let reports = await preflight.run(on: machine.site)
        for report in reports { #expect(report.finding.verdict == .passed, "\(report.id): \(report.finding)") }
        #expect(reports.count >= 80)
        #expect(machine.host.writes.isEmpty && machine.host.made.isEmpty && machine.host.removed.isEmpty)
    }

    @Test func eachCheckIsShownAFault() {
        let faults =
            PreflightHost.system + PreflightHost.environment + PreflightHost.kernel + PreflightDisk.faults
            + PreflightNetwork.faults + PreflightIdentity.faults + PreflightSnap.faults + PreflightApplication.faults
        let existing: Set = ["kube.config", "kube.containerd", "kube.helm"]
        #expect(Set(Self.all().map(\.id)).subtracting(faults.map(\.id)) == existing)
    }

    @Test func noTwoChecksHaveOneId() {
        let ids = Self.everywhere().map(\.id)
        #expect(ids.count == Set(ids).count)
    }

    /// The guide's tables name each check once, under its title.
    @Test func theGuideNamesEveryCheck() throws {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let bytes = try #require(FileManager.default.contents(atPath: root.pushing("docs/preflight.md").string))
        var rows: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmed }
            rows[String(cells[0].dropFirst().dropLast())] = cells[1]
        }
        let checks = Self.everywhere()
        #expect(Set(rows.keys) == Set(checks.map(\.id)))
        for check in checks { #expect(rows[check.id] == check.title, "\(check.id)") }
    }
}
