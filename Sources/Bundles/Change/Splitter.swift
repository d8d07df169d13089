import FoundationEssentials
import Glibc
import Images
package import SystemPackage

/// Copies a bundle into volumes, for sticks or discs that are smaller than it is.
package struct Splitter: Sendable {
    package let folder: BundleFolder
    /// In bytes; no volume has more, all told.
    package let size: Int64
    package let target: FilePath

    package init(_ folder: BundleFolder, size: Int64, to target: FilePath) {
        (self.folder, self.size, self.target) = (folder, size, target)
    }

    /// Writes volume-1, volume-2, … and tells how many. Every chunk is proved as it is copied. What an earlier run
    /// wrote is not written again. It blocks.
    package func run(
        report: @escaping ByteReport = { _, _ in }, isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws(BundleFault) -> Int {
        guard let checkpoints = folder.checkpoints().bytes else {
            throw BundleFault("\(folder.path)/\(Reserved.checkpoints) is damaged or missing: mend the bundle first")
        }
        let signatures = folder.copies(of: Reserved.signatures).first { FileEntry(at: $0) != nil }
        let signed = try signatures.map { path throws(BundleFault) in
            try trying("read", path) { try SmallFile.read(path, upTo: KeyLine.largest) }
        }
        let shared = Int64(folder.text.count + checkpoints.count + (signed?.count ?? 0))
        let plan = try SplitPlan(folder.description, size: size, shared: shared)
        let texts = try plan.volumes.indices.map { index throws(BundleFault) in try text(plan, index) }
        try refuseOtherVolumes(texts)

        let tally = Tally(folder.description.files.reduce(0) { $0 + $1.size }, report)
        let files = Dictionary(folder.description.files.indices.map { (folder.description.files[$0].path, $0) }) {
            one, _ in one
        }
        let spans = Spans(folder.description, checkpoints: checkpoints)
        for (index, pieces) in plan.volumes.enumerated() {
            let root = volume(index)
            try SmallFile.makeFolder(root)
            try SmallFile.write(texts[index], to: root.appending(VolumeDescription.file(index + 1)))
            try Parallel.forEach(pieces.count) { turn throws(BundleFault) in
                let piece = pieces[turn]
                let all = files[piece.path].map(spans.ofFile) ?? 0..<0
                let first = all.lowerBound + Int(piece.offset / Chunk.size)
                try copy(
                    piece, first..<first + Chunk.count(of: piece.length), of: spans, to: root, tally, isInterrupted)
            }
            try SmallFile.write(checkpoints, to: root.appending(Reserved.checkpoints))
            if let signed { try SmallFile.write(signed, to: root.appending(Reserved.signatures)) }
            // Last: a volume without it is none yet.
            try SmallFile.write(folder.text, to: root.appending(Reserved.description))
        }
        return plan.volumes.count
    }

    private func volume(_ index: Int) -> FilePath { target.appending(VolumeDescription.folder(index + 1)) }

    private func text(_ plan: SplitPlan, _ index: Int) throws(BundleFault) -> [UInt8] {
        try trying("describe", volume(index)) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try Array(
                encoder.encode(
                    VolumeDescription(
                        bundle: folder.identity, volume: index + 1, of: plan.volumes.count, pieces: plan.volumes[index])
                ))
        }
    }

    /// Pieces of another bundle, or of another size, would be taken for ours.
    private func refuseOtherVolumes(_ texts: [[UInt8]]) throws(BundleFault) {
        guard FileEntry(at: target) != nil else { return }
        for name in try trying("read the directory", target, { try Tree.names(in: target) }) {
            guard let number = VolumeDescription.number(ofFolder: name) else { continue }
            let path = target.appending(name).appending(VolumeDescription.file(number))
            let found = try? SmallFile.read(path, upTo: BundleDescription.largestText)
            guard number <= texts.count, found == nil || found == texts[number - 1] else {
                throw BundleFault(
                    "\(target.appending(name)) is of another bundle or was split otherwise: remove it, or name another --to",
                    blame: .machine)
            }
        }
    }

    private func copy(
        _ piece: VolumeDescription.Piece, _ numbers: Range<Int>, of spans: Spans, to root: FilePath, _ tally: Tally,
        _ isInterrupted: @Sendable () -> Bool
    ) throws(BundleFault) {
        let path = root.pushing(FilePath(piece.place))
        if FileEntry(at: path)?.size == piece.length { return tally.add(piece.length) }
        let temporary = path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "").part")
        try SmallFile.makeFolder(path.removingLastComponent())
        var reader = SpanReader(folder.pieces)
        do {
            try trying("write", temporary) {
                let file = try FileDescriptor.open(
                    temporary, .writeOnly, options: [.create, .truncate, .closeOnExec],
                    permissions: spans[numbers.lowerBound].file.permissions)
                _ = try file.closeAfter {
                    for number in numbers {
                        if isInterrupted() {
                            throw BundleFault("interrupted: run it again to go on", blame: .nobody)
                        }
                        let span = spans[number]
                        guard let bytes = reader.proved(span) else {
                            let damage = Damage.chunk(span.file.path, index: span.chunk, bytes: span.bytes)
                            throw BundleFault("\(damage): mend the bundle first, with 'jhub-install bundle repair'")
                        }
                        try file.writeAll(bytes)
                        tally.add(Int64(bytes.count))
                    }
                    return try system(fsync(file.rawValue))
                }
                try system(rename(temporary.string, path.string))
                try SmallFile.synchronize(path.removingLastComponent())
            }
        } catch {
            unlink(temporary.string)
            throw error
        }
    }
}
