package import FoundationEssentials
package import SystemPackage

/// Checks a bundle against its own description.
package struct Verifier: Sendable {
    package let folder: BundleFolder
    /// Where an interrupted check is remembered; nil if nowhere.
    package var cache: FilePath?

    package init(_ folder: BundleFolder, cache: FilePath? = nil) { (self.folder, self.cache) = (folder, cache) }

    /// All that is wrong, so that one look at it is enough.
    package struct Finding: Sendable {
        package var damages: [Damage] = []
        /// Where what is in the bundle contradicts itself.
        package var contradictions: [BundleFault] = []
        package var throughput = Throughput()

        package var isGood: Bool { damages.isEmpty && contradictions.isEmpty }
        package var lines: [String] { damages.map(\.description) + contradictions.map(\.description) }
    }

    /// What can be said without reading a body: names, sizes, the images' documents, the clock.
    package func look(at now: Date = .now) throws(BundleFault) -> Finding {
        let proof = LayoutProof(folder)
        var contradictions = proof.contradictions
        if now < folder.description.date {
            contradictions.append(
                BundleFault(
                    "this machine's clock says \(now.formatted(.iso8601)), and the bundle was made at "
                        + "\(folder.description.created): set the clock"))
        }
        let damages = Set(try folder.listing() + proof.damages)
        return Finding(damages: damages.sorted(), contradictions: contradictions)
    }

    /// Looks, and reads every byte of every file once, over all cores. It blocks. Interrupted, it throws, and the next
    /// call goes on from there.
    package func run(
        at now: Date = .now, report: @escaping ByteReport = { _, _ in },
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws(BundleFault) -> Finding {
        var finding = try look(at: now)
        let (bytes, faults) = folder.checkpoints()
        let spans = Spans(folder.description, checkpoints: bytes)
        let memory = bytes == nil ? nil : cache.map { CheckMemory(in: $0, of: folder) }
        let result = ContentCheck(
            folder: folder, spans: spans, work: memory?.left(of: spans) ?? Array(0..<spans.count), memory: memory,
            report: report, isInterrupted: isInterrupted
        ).run()
        guard result.isComplete else {
            throw BundleFault("interrupted: what was checked is remembered: run it again to go on", blame: .nobody)
        }
        memory?.forget()
        finding.throughput = result.throughput
        finding.damages = result.damages.union(memory?.damages ?? []).union(finding.damages).union(faults).sorted()
        return finding
    }

    /// Reads these files of bundle.json alone: names what is wrong with them.
    package func prove(
        _ files: [BundleDescription.File], report: @escaping ByteReport = { _, _ in }
    ) -> [Damage] {
        let (bytes, faults) = folder.checkpoints()
        let spans = Spans(folder.description, checkpoints: bytes)
        let wanted = Set(files.map(\.path))
        let all = folder.description.files
        let result = ContentCheck(
            folder: folder, spans: spans,
            work: all.indices.filter { wanted.contains(all[$0].path) }.flatMap(spans.ofFile), report: report
        ).run()
        let lacking = files.filter { file in
            let pieces = folder.pieces(of: file)
            return pieces.isEmpty || pieces.contains { FileEntry(at: $0.file) == nil }
        }
        return result.damages.union(faults).union(lacking.map { .missing($0.path) }).sorted()
    }
}
