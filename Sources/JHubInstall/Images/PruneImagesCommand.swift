import ArgumentParser
import Install
import Kube

import struct Foundation.Date

extension ImagesCommand {
    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the images that nothing uses any more; with --yes removes them.",
            discussion: """
                Only images that jhub-install brought, as its record says, and that neither the config nor any pod, nor anything \
                that makes pods, nor any container has. The cluster has to answer.
                """)
        @OptionGroup var options: PlaceOptions

        @Flag(name: .shortAndLong, help: "Remove them.")
        var yes = false

        func run() async throws {
            let site = try options.site()
            try requireRoot()
            let stage = PruneImages(record: Record(run: Date().formatted(.iso8601)))
            guard yes else { return show(try await stage.plan(for: site), stage) }
            let work = try Work(purpose: "jhub-install images prune", asJSON: options.config.json)
            try await work.carryOut([stage], on: site) { made in
                let done: JSON = ["event": "done", "changes": .int(made)]
                Console.standardOutput.line(options.config.json ? done.text() : "\(made.of("image")) removed.")
            }
        }

        private func show(_ plan: Plan, _ stage: PruneImages) {
            let out = Console.standardOutput
            guard !options.config.json else { return out.line(plan.json(stage).text()) }
            guard case .changes(let changes) = plan else { return out.line("Nothing to remove.") }
            for change in changes { out.line(change.reason) }
            out.line("Remove them with --yes.")
        }
    }
}
