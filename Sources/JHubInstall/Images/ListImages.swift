import ArgumentParser
import Images
import Install
import Kube

extension ImagesCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists every image that the config wants and every other that the node has.",
            discussion: """
                State: whole; missing; half (some of it is not there, or not unpacked); unpinned (the kubelet may collect it); \
                other (the name means another image than the bundle's); extra (nothing of the config wants it). It only looks; \
                'jhub-install images import' mends the first five.
                """)
        @OptionGroup var options: PlaceOptions

        func run() async throws {
            let site = try options.site()
            try requireRoot()
            let images = try await site.nodeImages()
            let out = Console.standardOutput
            guard !options.config.json else {
                for image in images { out.line(image.json.text()) }
                return
            }
            let width = images.map(\.name.count).max() ?? 0
            out.line("\("IMAGE".padded(to: width))  DIGEST        SIZE       STATE     WANTED BY")
            for image in images {
                out.line(
                    [
                        image.name.padded(to: width), (image.digest?.short ?? "-").padded(to: 12),
                        (image.bytes?.asBytes ?? "-").padded(to: 9), image.state.rawValue.padded(to: 8),
                        image.needs.joined(separator: ", "),
                    ].joined(separator: "  "))
            }
        }
    }
}

extension NodeImage {
    var json: JSON {
        var members: [String: JSON] = [
            "image": .string(name), "state": .string(state.rawValue), "needs": .array(needs.map { .string($0) }),
        ]
        members["digest"] = digest.map { .string($0.description) }
        members["bytes"] = bytes.map { .int(Int($0)) }
        return .object(members)
    }
}
