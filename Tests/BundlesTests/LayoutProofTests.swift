import Bundles
import FoundationEssentials
import Images
import SystemPackage
import Testing

@Suite struct LayoutProofTests {
    /// Describes the bundle again after a change, and says how its images contradict it.
    private func contradictions(
        _ scratch: Scratch, _ change: (inout SampleBundle, inout BundleWriter.Parts) throws -> Void
    ) throws -> [String] {
        var sample = try SampleBundle(in: scratch)
        var parts = sample.parts
        try change(&sample, &parts)
        try BundleWriter(at: sample.path).write(parts)
        return try Verifier(BundleFolder(opening: sample.path)).look().lines
    }

    private func edit(_ scratch: Scratch, _ name: String, _ old: String, _ new: String) throws {
        let text = String(decoding: try scratch.read(name), as: UTF8.self)
        #expect(text.contains(old))
        try scratch.write(name, text.replacing(old, with: new))
    }

    @Test func aMissingBlobIsNamed() throws {
        try Scratch.with { scratch in
            var layer = ""
            let found = try contradictions(scratch) { sample, _ in
                try scratch.remove("bundle/\(sample.layer)")
                layer = "\(sample.image.blobs[2].digest)"
            }
            #expect(found == ["\(SampleBundle.name) lacks its blob \(layer): make the bundle again"])
        }
    }

    @Test func aBlobThatTheSiteHasMayLack() throws {
        try Scratch.with { scratch in
            let found = try contradictions(scratch) { sample, parts in
                try scratch.remove("bundle/\(sample.layer)")
                parts.omitted = [sample.image.blobs[2]]
            }
            #expect(found == [])
        }
    }

    @Test func anImageThatTheLayoutLacksIsNamed() throws {
        try Scratch.with { scratch in
            let found = try contradictions(scratch) { _, parts in
                parts.images.append(
                    .init(names: ["docker.io/library/other:1"], digest: Digest(of: [1]), needs: [], blobs: []))
            }
            #expect(found == ["images/index.json lacks docker.io/library/other:1"])
        }
    }

    @Test func anImageThatTheDescriptionLacksIsNamed() throws {
        try Scratch.with { scratch in
            let found = try contradictions(scratch) { _, parts in parts.images = [] }
            #expect(found.count == 1 && found[0].contains("that bundle.json does not have"))
        }
    }

    @Test func otherNamesAndOtherBlobsAreNamed() throws {
        try Scratch.with { scratch in
            let found = try contradictions(scratch) { sample, parts in
                try edit(scratch, "bundle/images/index.json", "library/demo:1", "library/demo:2")
                parts.images[0].blobs.removeLast()
            }
            #expect(
                found == [
                    "images/index.json has other names for \(SampleBundle.name) than bundle.json",
                    "the blobs of \(SampleBundle.name) are others than bundle.json says",
                ])
        }
    }

    @Test func anotherPlatformIsNamed() throws {
        try Scratch.with { scratch in
            let found = try contradictions(scratch) { _, parts in
                parts.platform = Platform(os: "linux", architecture: "arm64")
            }
            #expect(found == ["\(SampleBundle.name) is for linux/amd64, and the bundle for linux/arm64"])
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"manifests":{}}"#, #"{"schemaVersion":2}"#])
    func anIndexThatIsNoneIsRefused(_ text: String) throws {
        try Scratch.with { scratch in
            let found = try contradictions(scratch) { _, _ in try scratch.write("bundle/images/index.json", text) }
            #expect(found.count == 1 && found[0].hasPrefix("images/index.json "), "\(found)")
        }
    }

    @Test func aDamagedManifestIsDamageAndNoContradiction() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            let manifest = sample.image.blobs[0]
            let path = "images/blobs/sha256/\(manifest.digest.hex)"
            try flip(sample.path.pushing(FilePath(path)), at: 30)
            let folder = try BundleFolder(opening: sample.path)
            #expect(try Verifier(folder).look().damages == [.chunk(path, index: 0, bytes: 0..<manifest.size)])
            #expect(try Verifier(folder).run().lines.count == 1)
        }
    }
}
