import ArgumentParser
import Images
import Install
import Kube

extension ImagesCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hashes what the node has of every wanted image.",
            discussion: """
                It reads every byte of the images and changes nothing. Exit status 1 if an image is not whole, not the \
                bundle's, or a byte of it is wrong.
                """)
        @OptionGroup var options: PlaceOptions

        func run() async throws {
            let site = try options.site()
            try requireRoot()
            var isGood = true
            for image in try await site.nodeImages() where image.state != .extra {
                let faults = try await faults(of: image, on: site)
                if !faults.isEmpty { isGood = false }
                show(image, faults)
            }
            guard isGood else { throw ExitStatus.failed }
        }

        private func faults(of image: NodeImage, on site: Site) async throws -> [String] {
            guard image.state == .whole || image.state == .unpinned else {
                return ["it is \(image.state.rawValue): 'jhub-install images import' mends that"]
            }
            guard let carried = image.carried else {
                return ["it is not in the bundle, so nothing says what it consists of"]
            }
            return try await site.images.damages(in: carried.blobs)
        }

        private func show(_ image: NodeImage, _ faults: [String]) {
            let out = Console.standardOutput
            if options.config.json {
                guard case .object(var members) = image.json else { return }
                members["faults"] = .array(faults.map { .string($0) })
                return out.line(JSON.object(members).text())
            }
            let (mark, words) =
                faults.isEmpty
                ? (
                    out.coloured("ok ", .green),
                    "\(image.carried?.blobs.count ?? 0) blobs, \(image.bytes?.asBytes ?? "-")"
                )
                : (out.coloured("BAD", .red), faults.joined(separator: "; "))
            out.line("\(mark) \(image.name): \(words)")
        }
    }
}
