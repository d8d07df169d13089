import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PreflightRun {
    /// A check of the test's making.
    struct Stub: Check {
        var id: String
        var title = "a claim"
        var limit: Duration?
        var answer: @Sendable () async throws -> Finding
        func finding(on site: Site) async throws -> Finding { try await answer() }
    }

    private func run(_ checks: [Stub], limit: Duration = .seconds(60), ignoring: Set<String> = []) async throws
        -> [Report]
    {
        let machine = try PreflightMachine()
        defer { machine.remove() }
        return await Preflight(checks: checks).run(on: machine.site, limit: limit, ignoring: ignoring)
    }

    @Test func theWorstComesFirstAndThenTheId() async throws {
        let verdicts: [(String, Finding.Verdict)] = [
            ("b", .passed), ("f", .warning), ("a", .passed), ("e", .info), ("d", .failed), ("c", .failed),
            ("g", .unknown),
        ]
        let reports = try await run(verdicts.map { id, verdict in Stub(id: id) { Finding(verdict, "", needs: "") } })
        #expect(reports.map(\.id) == ["c", "d", "f", "g", "e", "a", "b"])
    }

    @Test func aCheckThatNeverAnswersHoldsUpNobody() async throws {
        let deaf = Stub(id: "deaf") {
            // Heeds no cancellation, as a C call that blocks.
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            return .passed("", needs: "")
        }
        let well = Stub(id: "well") { .passed("fine", needs: "") }
        let reports = try await run([deaf, well], limit: .milliseconds(50))
        #expect(reports.map(\.finding.verdict) == [.unknown, .passed])
        #expect(reports[0].finding.measured == "could not be measured: no answer within 0.05 s")
        #expect(reports[0].warns && !reports[0].stops)
    }

    @Test func checksThatAskTheSameShareOneAnswer() async throws {
        let machine = try PreflightMachine()
        defer { machine.remove() }
        let command: Command = ["snap", "version"]
        machine.host.answer(command, output: "snap 2.63")
        struct Asks: Check {
            var id: String
            let title = "a claim"
            let command: Command
            func finding(on site: Site) async throws -> Finding {
                let outcomes = [
                    try await site.node.transport.run(command), try await site.head.transport.run(command),
                ]
                return .passed(outcomes.map(\.output).joined(separator: ", "), needs: "")
            }
        }
        let preflight = Preflight(checks: ["a", "b", "c"].map { Asks(id: $0, command: command) })
        #expect(
            await preflight.run(on: machine.site).map(\.finding.measured)
                == Array(repeating: "snap 2.63, snap 2.63", count: 3))
        #expect(machine.host.ran.filter { $0 == command }.count == 1)
        // The next time the world may be another.
        _ = await preflight.run(on: machine.site)
        #expect(machine.host.ran.filter { $0 == command }.count == 2)
    }

    @Test func whatACheckThatWasGivenUpHasStartedIsEnded() async throws {
        let machine = try PreflightMachine()
        defer { machine.remove() }
        let file = "\(machine.bundle)/process"
        let transport = AskedOnce(LocalTransport())
        let task = Task { try await transport.run(["sh", "-c", "echo $$ >\(file); exec sleep 600"]) }
        while ((try? await transport.read(FilePath(file))) ?? nil)?.isEmpty != false { await Task.yield() }
        await transport.end()
        await #expect(throws: TransportError.self) { try await task.value }
    }

    @Test func aCheckWithALimitOfItsOwnMayTakeLonger() async throws {
        let slow = Stub(id: "slow", limit: .seconds(60)) {
            try await Task.sleep(for: .milliseconds(50))
            return .passed("", needs: "")
        }
        #expect(try await run([slow], limit: .milliseconds(1))[0].finding.verdict == .passed)
    }

    @Test func whatCannotBeMeasuredIsUnknownWithItsReason() async throws {
        let blind = Stub(id: "blind") { throw FactError("df says nothing") }
        let report = try #require(try await run([blind]).first)
        #expect(report.finding == .unknown(because: "could not be measured: df says nothing"))
    }

    @Test func anIgnoredFailureIsShownAndStopsNobody() async throws {
        let bad = Stub(id: "bad") { .failed("3", needs: "4", fix: "make it 4") }
        let ignored = try #require(try await run([bad], ignoring: ["bad"]).first)
        #expect(!ignored.stops && ignored.isIgnored && ignored.finding.verdict == .failed)
        #expect(try await run([bad])[0].stops)
        #expect(Preflight(checks: [bad]).strangers(among: ["bad", "bed"]) == ["bed"])
    }

    @Test func aReportIsJSON() {
        let report = Report(
            id: "os.swap", title: "Swap is off", finding: .warning("/swap.img", needs: "none", fix: "swapoff -a"))
        #expect(
            [report].json == [
                [
                    "id": "os.swap", "title": "Swap is off", "verdict": "warning", "measured": "/swap.img",
                    "threshold": "none", "fix": "swapoff -a", "ignored": false, "repairable": false,
                ]
            ])
    }
}
