import ArgumentParser
import Install
import Kube

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what would be done, and changes nothing.",
        discussion: """
            Some stages can be planned only when earlier ones are done; these say what they wait for. With --check the exit \
            status is 3 if anything is left to do, for scripts and monitoring.
            """)

    @OptionGroup var options: SiteOptions

    @Flag(help: "Exit with status 3 if anything is left to do.")
    var check = false

    func run() async throws {
        let site = try options.site()
        try requireRoot()
        var isEmpty = true
        for stage in options.stages {
            let plan = try await stage.plan(for: site)
            if plan != .settled { isEmpty = false }
            if options.config.json {
                Console.standardOutput.line(plan.json(stage).text())
            } else {
                plan.lines(stage).forEach(Console.standardOutput.line)
            }
        }
        if check && !isEmpty { throw ExitStatus.workLeft }
    }
}

extension Plan {
    fileprivate func lines(_ stage: any Stage) -> [String] {
        let name = stage.name.padded(to: 9)
        return switch self {
        case .settled: ["\(name) settled"]
        case .waits(let need): ["\(name) waits for: \(need)"]
        case .changes(let changes):
            ["\(name) \(changes.count.of("change"))"] + changes.map { "  + \($0)" }
        }
    }

    func json(_ stage: any Stage) -> JSON {
        switch self {
        case .settled: ["stage": .string(stage.name), "state": "settled"]
        case .waits(let need): ["stage": .string(stage.name), "state": "waits", "for": .string(need)]
        case .changes(let changes):
            [
                "stage": .string(stage.name), "state": "changes",
                "changes": .array(
                    changes.map { ["action": .string($0.action.description), "reason": .string($0.reason)] }),
            ]
        }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
