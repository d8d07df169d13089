import Foundation
import Testing

@testable import GPUs

@Suite struct GuideTests {
    /// The first cells of the guide's tables.
    private func cells() throws -> Set<String> {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/gpu-health.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        return Set(rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) })
    }

    @Test func theGuideHasAllRulesAndStatesAndNoOthers() throws {
        let states: [DriverStatus.State] = [.starting, .ready, .noLibrary, .notLoaded, .mismatch, .failed]
        #expect(try cells() == Set(Rule.allCases.map(\.rawValue) + states.map(\.rawValue)))
    }
}
