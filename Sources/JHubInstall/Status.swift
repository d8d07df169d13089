import ArgumentParser
import Install
import Kube

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says how each stage stands, and where the hub is.",
        discussion: "It only looks. Exit status 1 if something is not as it should be; 'jhub-install plan' shows what.")

    @OptionGroup var options: SiteOptions

    func run() async throws {
        let site = try options.site()
        try requireRoot()
        let out = Console.standardOutput
        var stands = true
        for stage in options.stages {
            let plan = try await stage.plan(for: site)
            if plan != .settled { stands = false }
            if options.config.json {
                out.line(plan.json(stage).text())
            } else {
                let (mark, words): (String, String) =
                    switch plan {
                    case .settled: (out.coloured("ok  ", .green), stage.title)
                    case .waits(let need): (out.coloured("wait", .yellow), need)
                    case .changes(let changes): (out.coloured("work", .red), "\(stage.title): \(changes.count) to do")
                    }
                out.line("\(mark) \(stage.name.padded(to: 9)) \(words)")
            }
        }
        guard stands else { throw ExitStatus.failed }
        try await Summary(of: site, changes: nil).print(asJSON: options.config.json)
    }
}
