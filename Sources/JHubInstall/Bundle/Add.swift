import ArgumentParser
import Bundles
import Images
import Kube
import SystemPackage

extension BundleCommand {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts files into a bundle, and describes it anew.",
            discussion: """
                Archives of images go into the layout, each blob once; snaps (.snap, with its .assert beside it), charts (.tgz), \
                packages (.deb) and manifests (.yaml) to their places. A name of an image that is there already moves to the \
                new one. The directory may be empty: then it becomes a bundle. Signatures no longer hold, and go. \
                Interrupted, it goes on when it is run again.
                """)

        @OptionGroup var bundle: BundleArgument

        @Argument(help: ArgumentHelp("What to add.", valueName: "file"))
        var files: [String]

        @Option(
            help: ArgumentHelp(
                "The name of the image that has none, as umoci and 'docker save ID' write it.", valueName: "name"),
            transform: { text in
                do {
                    return try ImageReference(parsing: text)
                } catch {
                    throw ValidationError("\(error)")
                }
            })
        var name: ImageReference?

        func run() async throws {
            Interrupt.endsAtOnce()
            try await ImageError.asFault(add)
        }

        private func add() async throws {
            let filling = ByteProgress("copied", json: bundle.json)
            let hashing = ByteProgress("hashed", json: bundle.json)
            let addition = try Addition(to: FilePath(bundle.directory), of: files.map { FilePath($0) }, naming: name)
            let outcome: Addition.Outcome
            do {
                defer {
                    filling.finish()
                    hashing.finish()
                }
                outcome = try await addition.run(
                    index: cacheFolder.appending("archives.json"), filling: filling.report, hashing: hashing.report)
            }
            let out = Console.standardOutput
            if bundle.json {
                let result: JSON = [
                    "event": "added", "images": .array(outcome.images.map { .string($0) }),
                    "files": .array(outcome.files.map { .string($0) }), "lostSignature": .bool(outcome.lostSignature),
                ]
                return out.line(result.text())
            }
            for name in outcome.images { out.line("added: image \(name)") }
            for path in outcome.files { out.line("added: \(path)") }
            if outcome.lostSignature {
                out.line("the signature is gone, since it was of what the bundle held before: sign it again")
            }
        }
    }
}
