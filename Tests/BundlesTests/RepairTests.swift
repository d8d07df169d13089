import Bundles
import FoundationEssentials
import Glibc
import Images
import SystemPackage
import Testing

@Suite struct RepairTests {
    private func repair(_ path: FilePath, from source: FilePath) throws -> Repair.Outcome {
        try Repair(BundleFolder(opening: path), from: source).run()
    }

    @Test func oneFlippedBitCostsOneChunk() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 14 << 20)
            try scratch.copy("bundle", to: "copy")
            try flip(sample.path.pushing(FilePath(sample.layer)), at: (4 << 20) + 9)
            let outcome = try repair(sample.path, from: scratch.path.appending("copy"))
            #expect(outcome.mended == [.chunk(sample.layer, index: 1, bytes: 4 << 20..<8 << 20)])
            #expect(outcome.written == 4 << 20)
            #expect(outcome.left.isGood)
            #expect(try scratch.read("bundle/\(sample.layer)") == scratch.read("copy/\(sample.layer)"))
        }
    }

    @Test func aCopyThatIsDamagedElsewhereWillDo() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 14 << 20)
            try scratch.copy("bundle", to: "copy")
            let copy = scratch.path.appending("copy")
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 1)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 13 << 20)
            try flip(copy.pushing(FilePath(sample.layer)), at: 13 << 20)
            let outcome = try repair(sample.path, from: copy)
            #expect(outcome.mended == [.chunk(sample.layer, index: 0, bytes: 0..<4 << 20)])
            // What is wrong there too is not taken over.
            #expect(outcome.left.damages == [.chunk(sample.layer, index: 3, bytes: 12 << 20..<14 << 20)])
        }
    }

    @Test func whatIsMissingCutShortOrTooLongIsMended() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 9 << 20)
            try scratch.copy("bundle", to: "copy")
            let layer = sample.path.pushing(FilePath(sample.layer))
            #expect(truncate(layer.string, 5 << 20) == 0)
            #expect(truncate(sample.path.appending("charts/jupyterhub-4.2.0.tgz").string, 777) == 0)
            try scratch.remove("bundle/images/oci-layout")
            try flip(sample.path.appending("bundle.checkpoints"), at: 0)
            try scratch.write("bundle/charts/stranger.tgz", "?")
            let outcome = try repair(sample.path, from: scratch.path.appending("copy"))
            #expect(outcome.left.damages == [.stranger(sample.path.appending("charts/stranger.tgz"))])
            for name in [sample.layer, "charts/jupyterhub-4.2.0.tgz", "images/oci-layout", "bundle.checkpoints"] {
                #expect(try scratch.read("bundle/\(name)") == scratch.read("copy/\(name)"), "\(name)")
            }
            // The layer's first chunk was good, and stayed.
            #expect(outcome.written == (5 << 20) + 30)
        }
    }

    @Test func aBlobOfAnotherBundleWillDo() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 5 << 20)
            var other = try SampleBundle(in: scratch, "other", layerSize: 5 << 20)
            other.image.needs = ["something else"]
            try BundleWriter(at: other.path).write(other.parts)
            try scratch.remove("bundle/\(sample.layer)")
            #expect(try repair(sample.path, from: other.path).left.isGood)
        }
    }

    @Test func withoutACopyNothingIsChanged() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 1)
            let before = try scratch.read("bundle/\(sample.layer)")
            let outcome = try repair(sample.path, from: "/nowhere")
            #expect(outcome.mended == [] && outcome.written == 0)
            #expect(outcome.left.damages == [.chunk(sample.layer, index: 0, bytes: 0..<1000)])
            #expect(try scratch.read("bundle/\(sample.layer)") == before)
        }
    }

    @Test func aLinkIsNotWrittenThrough() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            try scratch.copy("bundle", to: "copy")
            let victim = try scratch.write("victim", "keep")
            try scratch.remove("bundle/images/oci-layout")
            #expect(symlink(victim.string, sample.path.appending("images/oci-layout").string) == 0)
            #expect(throws: BundleFault.self) { try repair(sample.path, from: scratch.path.appending("copy")) }
            #expect(try scratch.read("victim") == Array("keep".utf8))
        }
    }
}
