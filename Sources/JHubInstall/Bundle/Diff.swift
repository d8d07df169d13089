import ArgumentParser
import Bundles
import Images
import Kube
import SystemPackage

extension BundleCommand {
    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what one bundle has and another has not, by images, files and bytes of blobs.")

        @Argument(help: ArgumentHelp("The bundle before.", valueName: "dir"))
        var old: String

        @Argument(help: ArgumentHelp("The bundle after.", valueName: "dir"))
        var new: String

        @Flag(help: "One JSON object a line, for programs.")
        var json = false

        func run() throws {
            let difference = BundleDifference(
                from: try BundleFolder(opening: FilePath(old)).description,
                to: try BundleFolder(opening: FilePath(new)).description)
            let out = Console.standardOutput
            if json { return out.line(difference.json.text()) }
            difference.lines.forEach(out.line)
            if difference.isEmpty { out.line("no difference") }
        }
    }
}

extension BundleDifference {
    fileprivate var lines: [String] {
        var lines: [String] = []
        for (kind, added, removed, changed) in [
            ("image", imagesAdded, imagesRemoved, imagesChanged), ("file ", filesAdded, filesRemoved, filesChanged),
        ] {
            lines += added.map { "+ \(kind) \($0)" } + removed.map { "- \(kind) \($0)" }
            lines += changed.map { "~ \(kind) \($0.name): \($0.from.short) -> \($0.to.short)" }
        }
        if !blobsAdded.isEmpty { lines.append("+ \(blobsAdded.count) blobs, \(blobsAdded.bytes.asBytes)") }
        if !blobsRemoved.isEmpty { lines.append("- \(blobsRemoved.count) blobs, \(blobsRemoved.bytes.asBytes)") }
        return lines
    }

    fileprivate var json: JSON {
        func strings(_ all: [String]) -> JSON { .array(all.map { .string($0) }) }
        func changes(_ all: [Change]) -> JSON {
            .array(all.map { ["name": .string($0.name), "from": .string("\($0.from)"), "to": .string("\($0.to)")] })
        }
        func blobs(_ all: [Blob]) -> JSON { ["count": .int(all.count), "bytes": .int(Int(all.bytes))] }
        return [
            "images": [
                "added": strings(imagesAdded), "removed": strings(imagesRemoved), "changed": changes(imagesChanged),
            ],
            "files": [
                "added": strings(filesAdded), "removed": strings(filesRemoved), "changed": changes(filesChanged),
            ],
            "blobs": ["added": blobs(blobsAdded), "removed": blobs(blobsRemoved)],
        ]
    }
}

extension [Blob] {
    fileprivate var bytes: Int64 { reduce(0) { $0 + $1.size } }
}
