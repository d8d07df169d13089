import Bundles
import FoundationEssentials
import Glibc
import Images
import Synchronization
import SystemPackage
import Testing

@Suite struct VerifierTests {
    private func check(_ path: FilePath, cache: FilePath? = nil) throws -> Verifier.Finding {
        try Verifier(BundleFolder(opening: path), cache: cache).run()
    }

    @Test func nothingIsWrongWithWhatWasWritten() throws {
        try Scratch.with { scratch in
            let path = try SampleBundle(in: scratch, layerSize: 9 << 20).path
            let finding = try check(path)
            #expect(finding.lines == [])
            let total = try BundleFolder(opening: path).description.files.reduce(0) { $0 + $1.size }
            #expect(finding.throughput.bytes == total)
            #expect(finding.throughput.hashing > .zero && finding.throughput.reading > .zero)
        }
    }

    @Test func oneFlippedBitNamesTheChunk() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: (14 << 20) + 100)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: (12 << 20) + 5)
            #expect(
                try check(sample.path).lines == [
                    "chunk 3 of \(sample.layer) (bytes 12582912 to 14680163) is damaged"
                ])
        }
    }

    /// The edges of the chunks of a file of 8 MiB and one block.
    private static let edges: [Int64] = [0, 4_194_303, 4_194_304, 8_388_607, 8_388_608, 8_388_671]

    @Test(arguments: edges)
    func anyBitIsFound(_ offset: Int64) throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: (8 << 20) + 64)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: offset)
            let index = Int(offset >> 22)
            let range = Int64(index) << 22..<min(Int64(index + 1) << 22, (8 << 20) + 64)
            #expect(try check(sample.path).damages == [.chunk(sample.layer, index: index, bytes: range)])
        }
    }

    @Test func allThatIsWrongIsSaidAtOnce() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 9 << 20)
            let layer = sample.path.pushing(FilePath(sample.layer))
            try flip(layer, at: 1)
            #expect(truncate(layer.string, 6 << 20) == 0)
            try flip(sample.path.appending("images/oci-layout"), at: 3)
            try scratch.write("bundle/packages/stranger.deb", "?")
            try scratch.remove("bundle/charts/jupyterhub-4.2.0.tgz")
            #expect(
                try check(sample.path).damages == [
                    .missing("charts/jupyterhub-4.2.0.tgz"),
                    .size(sample.layer, at: layer, is: 6 << 20, shouldBe: 9 << 20),
                    .chunk(sample.layer, index: 0, bytes: 0..<4 << 20),
                    .chunk(sample.layer, index: 1, bytes: 4 << 20..<8 << 20),
                    .chunk(sample.layer, index: 2, bytes: 8 << 20..<9 << 20),
                    .chunk("images/oci-layout", index: 0, bytes: 0..<30),
                    .stranger(sample.path.appending("packages/stranger.deb")),
                ])
        }
    }

    @Test func bytesBeyondTheEndAreFound() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            let layer = sample.path.pushing(FilePath(sample.layer))
            #expect(truncate(layer.string, 1001) == 0)
            #expect(try check(sample.path).damages == [.size(sample.layer, at: layer, is: 1001, shouldBe: 1000)])
        }
    }

    @Test func withoutCheckpointsTheFileIsNamed() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 9 << 20)
            let layer = sample.path.pushing(FilePath(sample.layer))
            try flip(sample.path.appending("bundle.checkpoints"), at: 40)
            #expect(
                try check(sample.path).damages == [
                    .file("bundle.checkpoints", at: sample.path.appending("bundle.checkpoints"))
                ])
            try flip(layer, at: 5 << 20)
            #expect(try check(sample.path).damages.contains(.file(sample.layer, at: layer)))
            try scratch.remove("bundle/bundle.checkpoints")
            #expect(
                try check(sample.path).damages == [.missing("bundle.checkpoints"), .file(sample.layer, at: layer)])
        }
    }

    @Test func aClockBeforeTheBundleIsWrong() throws {
        try Scratch.with { scratch in
            let verifier = Verifier(try BundleFolder(opening: SampleBundle(in: scratch).path))
            let made = try Date(SampleBundle.date, strategy: .iso8601)
            #expect(try verifier.look(at: made).isGood)
            #expect(
                try verifier.look(at: made - 1).lines == [
                    "this machine's clock says 2026-01-02T03:04:04Z, and the bundle was made at "
                        + "2026-01-02T03:04:05Z: set the clock"
                ])
        }
    }

    @Test func someFilesAreProvedAlone() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 5 << 20)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 5)
            let folder = try BundleFolder(opening: sample.path)
            let chart = try #require(folder.file("charts/jupyterhub-4.2.0.tgz"))
            let layer = try #require(folder.file(sample.layer))
            #expect(Verifier(folder).prove([chart]) == [])
            #expect(Verifier(folder).prove([chart, layer]) == [.chunk(sample.layer, index: 0, bytes: 0..<4 << 20)])
            try scratch.remove("bundle/charts/jupyterhub-4.2.0.tgz")
            #expect(Verifier(folder).prove([chart]) == [.missing(chart.path)])
        }
    }
}

@Suite struct InterruptedCheckTests {
    /// Stops the check before the span with this number.
    private func interrupt(_ sample: SampleBundle, cache: FilePath, before span: Int) throws {
        let asked = Mutex(0)
        let fault = #expect(throws: BundleFault.self) {
            try Verifier(BundleFolder(opening: sample.path), cache: cache).run(isInterrupted: {
                asked.withLock { asked in
                    asked += 1
                    return asked > span
                }
            })
        }
        #expect(fault?.blame == .nobody)
    }

    private func names(in cache: FilePath) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: cache.string)
    }

    @Test func goesOnWhereItWasEnded() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 40 << 20)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 1)
            let cache = scratch.path.appending("cache")
            try interrupt(sample, cache: cache, before: 8)
            #expect(try names(in: cache).count == 1)
            // Twice: what the first found stays found.
            try interrupt(sample, cache: cache, before: 2)
            let finding = try Verifier(BundleFolder(opening: sample.path), cache: cache).run()
            #expect(finding.damages == [.chunk(sample.layer, index: 0, bytes: 0..<4 << 20)])
            #expect(finding.throughput.bytes > 0 && finding.throughput.bytes <= 28 << 20)
            #expect(try names(in: cache) == [])
        }
    }

    @Test func whatChangedMeanwhileIsCheckedAgain() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 40 << 20)
            let cache = scratch.path.appending("cache")
            try interrupt(sample, cache: cache, before: 9)
            try flip(sample.path.appending("charts/jupyterhub-4.2.0.tgz"), at: 7)
            let finding = try Verifier(BundleFolder(opening: sample.path), cache: cache).run()
            #expect(finding.damages == [.chunk("charts/jupyterhub-4.2.0.tgz", index: 0, bytes: 0..<500)])
            #expect(finding.throughput.bytes < 30 << 20)
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"form":2}"#]) func aMemoryThatIsNoneIsNotHeeded(_ text: String) throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 40 << 20)
            let cache = scratch.path.appending("cache")
            try interrupt(sample, cache: cache, before: 8)
            let name = try #require(try names(in: cache).first)
            try scratch.write("cache/\(name)", text)
            let finding = try Verifier(BundleFolder(opening: sample.path), cache: cache).run()
            #expect(finding.isGood && finding.throughput.bytes > 40 << 20)
        }
    }
}
