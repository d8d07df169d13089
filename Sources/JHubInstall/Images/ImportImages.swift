import ArgumentParser
import Images
import Install
import Kube

extension ImagesCommand {
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Brings to the node what it lacks of the images, and does nothing else.",
            discussion: """
                The stage 'images' alone, without preflight: it needs a containerd that answers, and no cluster. Only blobs that \
                the node lacks are moved.
                """)
        @OptionGroup var options: PlaceOptions
        @OptionGroup var trust: TrustOptions

        @Option(
            name: .customLong("image"),
            help: ArgumentHelp("This image alone, wanted or not; may be repeated.", valueName: "name"))
        var names: [String] = []

        @Flag(help: "Every image of the bundle, wanted or not.")
        var all = false

        func validate() throws {
            if all && !names.isEmpty { throw ValidationError("--all and --image exclude each other") }
        }

        func run() async throws {
            let references = try names.map { name in
                do {
                    return try ImageReference(parsing: name)
                } catch {
                    throw ValidationError("\(error)")
                }
            }
            let site = try options.site()
            try requireRoot()
            let work = try Work(purpose: "jhub-install images import", asJSON: options.config.json)
            let trust = try work.pass(site.bundle, trust)
            let stage = LoadImages(all ? .carried : references.isEmpty ? .wanted : .named(references))
            try await work.carryOut([stage], on: site) { made in
                guard options.config.json else {
                    return Console.standardOutput.line(
                        made == 0 ? "Every image is on the node; nothing was changed." : "\(made.of("image")) brought.")
                }
                let done: JSON = ["event": "done", "changes": .int(made), "bundle": trust.json]
                Console.standardOutput.line(done.text())
            }
        }
    }
}
