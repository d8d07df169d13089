import FoundationEssentials
import Glibc
import Images
package import SystemPackage

/// Mends a bundle from a good copy: writes the chunks that are damaged or missing, and no others.
package struct Repair: Sendable {
    package let folder: BundleFolder
    private let copy: GoodCopy
    package var cache: FilePath?

    /// - Parameter source: another copy of the bundle, or of its files; damaged itself, perhaps, in other places.
    package init(_ folder: BundleFolder, from source: FilePath, cache: FilePath? = nil) {
        (self.folder, self.cache) = (folder, cache)
        copy = GoodCopy(at: source)
    }

    package struct Outcome: Sendable {
        /// What was written, by file and chunk.
        package var mended: [Damage] = []
        /// What is wrong still.
        package var left = Verifier.Finding()
        /// In bytes.
        package var written: Int64 = 0
    }

    /// Checks the bundle, then writes. Each chunk is proved before it is written, and lasts when this returns. It
    /// blocks; interrupted, it throws.
    package func run(
        checking: @escaping ByteReport = { _, _ in }, writing: @escaping ByteReport = { _, _ in },
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws(BundleFault) -> Outcome {
        var outcome = Outcome()
        // First: by them the chunks are told apart.
        for damage in try mendCheckpoints() { outcome.mended.append(damage) }
        let finding = try Verifier(folder, cache: cache).run(report: checking, isInterrupted: isInterrupted)
        guard let checkpoints = folder.checkpoints().bytes else {
            outcome.left = finding
            return outcome
        }
        let spans = Spans(folder.description, checkpoints: checkpoints)
        let numbers = try work(finding.damages, spans)
        let tally = Tally(numbers.reduce(0) { $0 + Int64(spans[$1].bytes.count) }, writing)
        var failed: [Damage] = []
        var touched: Set<String> = []
        var reader = SpanReader(copy.pieces)
        for number in numbers {
            if isInterrupted() {
                throw BundleFault("interrupted: what was mended stays: run it again to go on", blame: .nobody)
            }
            let span = spans[number]
            let damage = Damage.chunk(span.file.path, index: span.chunk, bytes: span.bytes)
            if let bytes = reader.proved(span), try write(bytes, of: span) {
                outcome.mended.append(damage)
                outcome.written += Int64(bytes.count)
                touched.insert(span.file.path)
            } else {
                failed.append(damage)
            }
            tally.add(Int64(span.bytes.count))
        }
        for damage in finding.damages { if case .size(let path, _, _, _) = damage { touched.insert(path) } }
        for path in touched.sorted() { try settle(path) }
        outcome.left = try Verifier(folder).look()
        outcome.left.damages = Set(outcome.left.damages + failed).sorted()
        return outcome
    }

    /// The numbers of the spans to write.
    private func work(_ damages: [Damage], _ spans: Spans) throws(BundleFault) -> [Int] {
        let files = folder.description.files
        let numbers = Dictionary(files.indices.map { (files[$0].path, $0) }) { one, _ in one }
        var work: Set<Int> = []
        for damage in damages {
            guard let path = damage.path, let file = numbers[path] else { continue }
            let all = spans.ofFile(file)
            switch damage {
            case .chunk(_, let index, _), .unreadable(_, let index, _, _): work.insert(all.lowerBound + index)
            case .missing:
                // Of a file over volumes some pieces may be there.
                work.formUnion(all.filter { place(of: spans[$0]).map { FileEntry(at: $0.file) == nil } ?? false })
            case .size, .file, .volumeMissing, .stranger, .noFile: break
            }
        }
        return work.sorted()
    }

    /// Where a span belongs; nil where that volume is missing.
    private func place(of span: Span) -> Piece? {
        folder.pieces(of: span.file).first { $0.holds(span.bytes) }
    }

    private func write(_ bytes: [UInt8], of span: Span) throws(BundleFault) -> Bool {
        guard let piece = place(of: span) else { return false }
        try SmallFile.makeFolder(piece.file.removingLastComponent())
        try trying("write", piece.file) {
            let file = try FileDescriptor.open(
                piece.file, .writeOnly, options: [.create, .noFollow, .closeOnExec],
                permissions: span.file.permissions)
            _ = try file.closeAfter {
                try file.writeAll(toAbsoluteOffset: span.bytes.lowerBound - piece.offset, bytes)
                return try system(fdatasync(file.rawValue))
            }
        }
        return true
    }

    /// Gives the pieces of a file their sizes, and has them last.
    private func settle(_ path: String) throws(BundleFault) {
        guard let file = folder.file(path) else { return }
        for piece in folder.pieces(of: file) where FileEntry(at: piece.file)?.kind == .file {
            try trying("write", piece.file) {
                let opened = try FileDescriptor.open(piece.file, .writeOnly, options: [.noFollow, .closeOnExec])
                _ = try opened.closeAfter {
                    if FileEntry(at: piece.file)?.size ?? 0 > piece.length { try opened.resize(to: piece.length) }
                    return try system(fsync(opened.rawValue))
                }
                try SmallFile.synchronize(piece.file.removingLastComponent())
            }
        }
    }

    private func mendCheckpoints() throws(BundleFault) -> [Damage] {
        guard let good = folder.checkpoints().bytes ?? copy.checkpoints(of: folder.description) else { return [] }
        var mended: [Damage] = []
        for place in folder.copies(of: Reserved.checkpoints)
        where FileEntry(at: place).map({ $0.kind == .file }) ?? true {
            guard (try? SmallFile.read(place, upTo: good.count)) != good else { continue }
            try SmallFile.write(good, to: place)
            mended.append(.file(Reserved.checkpoints, at: place))
        }
        return mended
    }
}

/// Where to mend from: a bundle, in volumes or not, or a directory with some of its files at their places.
private struct GoodCopy: Sendable {
    private let path: FilePath
    private let folder: BundleFolder?
    private let files: [Digest: BundleDescription.File]

    init(at path: FilePath) {
        self.path = path
        folder = try? BundleFolder(opening: path)
        files = Dictionary((folder?.description.files ?? []).map { ($0.sha256, $0) }) { one, _ in one }
    }

    /// Another bundle will do where it has the same file.
    func pieces(of file: BundleDescription.File) -> [Piece] {
        if let folder, let same = files[file.sha256] { return folder.pieces(of: same) }
        return [Piece(file: path.appending(file.path), offset: 0, length: file.size)]
    }

    func checkpoints(of description: BundleDescription) -> [UInt8]? {
        (folder?.roots ?? [path]).lazy
            .compactMap {
                try? SmallFile.read($0.appending(Reserved.checkpoints), upTo: Int(description.checkpoints.size))
            }
            .first { Digest(of: $0) == description.checkpoints.sha256 }
    }
}
