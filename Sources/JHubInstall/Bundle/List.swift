import ArgumentParser
import Bundles
import Images
import Kube

extension BundleCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what a bundle says that it holds, and who signed it; 'verify' shows whether that is true.")

        @OptionGroup var bundle: BundleArgument
        @OptionGroup var trust: TrustedKeysOption

        func run() throws {
            let folder = try bundle.open()
            let signature = try folder.signature(trusting: try trust.load())
            let description = folder.description
            if bundle.json {
                Console.standardOutput.line(description.json(signature).text())
            } else {
                lines(of: description, signature).forEach(Console.standardOutput.line)
            }
        }

        private func lines(of bundle: BundleDescription, _ signature: SignatureFinding) -> [String] {
            let system = bundle.system.map { ", packages for \($0.id) \($0.version)" } ?? ""
            var lines = ["made \(bundle.created) for \(bundle.platform)\(system)", signature.line]
            if !bundle.versions.isEmpty {
                lines.append(
                    bundle.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
            }
            let images = bundle.images.map { image in
                [
                    image.size.asBytes, image.names.first ?? image.digest.description,
                    image.needs.joined(separator: "; "),
                ]
            }
            lines += ["", "images (\(images.count))"] + Table(images, right: [0]).lines
            let kinds = bundle.kinds.map { [$0.name, "\($0.count)", $0.bytes.asBytes] }
            let total = bundle.files.reduce(Int64(0)) { $0 + $1.size }
            lines +=
                ["", "files"]
                + Table(kinds + [["in all", "\(bundle.files.count)", total.asBytes]], right: [1, 2]).lines
            if !bundle.omitted.isEmpty {
                let bytes = bundle.omitted.reduce(Int64(0)) { $0 + $1.size }
                lines += [
                    "", "for one site alone: \(bundle.omitted.count) blobs that it has are left out (\(bytes.asBytes))",
                ]
            }
            return lines
        }
    }
}

extension BundleDescription {
    /// The first parts of paths, and what lies there.
    fileprivate var kinds: [(name: String, count: Int, bytes: Int64)] {
        let kinds = Dictionary(grouping: files) { $0.path.split(separator: "/").first.map(String.init) ?? "" }
        return kinds.map { ($0.key, $0.value.count, $0.value.reduce(0) { $0 + $1.size }) }.sorted { $0.name < $1.name }
    }

    fileprivate func json(_ signature: SignatureFinding) -> JSON {
        [
            "created": .string(created), "platform": .string("\(platform)"),
            "versions": .object(versions.mapValues { .string($0) }), "signature": signature.json,
            "images": .array(
                images.map { image in
                    [
                        "names": .array(image.names.map { .string($0) }), "digest": .string("\(image.digest)"),
                        "bytes": .int(Int(image.size)), "needs": .array(image.needs.map { .string($0) }),
                    ]
                }),
            "files": .array(
                kinds.map { ["kind": .string($0.name), "files": .int($0.count), "bytes": .int(Int($0.bytes))] }),
            "bytes": .int(Int(files.reduce(0) { $0 + $1.size })),
            "omitted": .int(Int(omitted.reduce(0) { $0 + $1.size })),
        ]
    }
}

extension BundleDescription.Image {
    /// In bytes, those of shared layers too.
    fileprivate var size: Int64 { blobs.reduce(0) { $0 + $1.size } }
}

/// Rows whose columns stand below each other, indented.
private struct Table {
    var lines: [String]

    init(_ rows: [[String]], right: Set<Int>) {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        lines = rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return right.contains(column) ? space + cell : cell + space
            }
            return "  " + cells.joined(separator: "  ").trimmingSuffix(while: \.isWhitespace)
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isSurplus: (Character) -> Bool) -> String {
        String(self[..<(lastIndex { !isSurplus($0) }.map { index(after: $0) } ?? startIndex)])
    }
}
