import TestSupport
import Testing

@testable import Install

/// One thing that is wrong with an otherwise good machine, and what its check has to say.
struct PreflightFault: Sendable, CustomTestStringConvertible {
    var id: String
    var verdict: Finding.Verdict
    /// Must stand in what was measured, or in the fix.
    var words: [String]
    var spoil: @Sendable (inout PreflightMachine) throws -> Void

    init(
        _ id: String, _ verdict: Finding.Verdict, _ words: String...,
        spoil: @escaping @Sendable (inout PreflightMachine) throws -> Void
    ) {
        (self.id, self.verdict, self.words, self.spoil) = (id, verdict, words, spoil)
    }

    var testDescription: String { "\(id): \(words.first ?? verdict.rawValue)" }

    func expect() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        try spoil(&machine)
        let finding = try await machine.finding(id)
        #expect(finding.verdict == verdict, "\(id): \(finding)")
        for word in words {
            #expect("\(finding.measured) \(finding.fix ?? "")".contains(word), "\(id): \(finding)")
        }
        if verdict == .failed || verdict == .warning { #expect(finding.fix?.isEmpty == false) }
        #expect(machine.host.writes.isEmpty && machine.host.made.isEmpty && machine.host.removed.isEmpty)
    }
}
