import Bundles
import FoundationEssentials
import Hosts
import Images
import SystemPackage
import Testing

@Suite struct AdditionTests {
    /// The images of a sample as one archive.
    private func archive(_ scratch: Scratch, _ name: String, layerSize: Int) async throws -> (FilePath, SampleBundle) {
        let sample = try SampleBundle(in: scratch, name, layerSize: layerSize)
        let archive = scratch.path.appending("\(name).tar")
        let outcome = try await LocalTransport().run(
            ["tar", "-C", sample.path.appending("images").string, "-cf", archive.string, "."])
        #expect(outcome.status == 0)
        return (archive, sample)
    }

    private func add(_ scratch: Scratch, _ files: FilePath...) async throws -> Addition.Outcome {
        try await Addition(to: scratch.path.appending("bundle"), of: files).run(
            index: scratch.path.appending("archives.json"))
    }

    private func finding(_ scratch: Scratch) throws -> [String] {
        try Verifier(BundleFolder(opening: scratch.path.appending("bundle"))).run().lines
    }

    @Test func anEmptyDirectoryBecomesABundle() async throws {
        try await Scratch.during { scratch in
            let (archive, sample) = try await archive(scratch, "one", layerSize: 5 << 20)
            let chart = try scratch.write("jupyterhub-4.2.0.tgz", "chart")
            let outcome = try await add(scratch, archive, chart)
            #expect(outcome.images == [SampleBundle.name] && outcome.files == ["charts/jupyterhub-4.2.0.tgz"])
            #expect(!outcome.lostSignature)
            #expect(try finding(scratch) == [])
            let images = try BundleFolder(opening: scratch.path.appending("bundle")).description.images
            #expect(images.map(\.digest) == [sample.image.digest])
            #expect(Set(images[0].blobs) == Set(sample.image.blobs))
        }
    }

    @Test func aNameMovesToTheNewImageAndTheSignatureGoes() async throws {
        try await Scratch.during { scratch in
            let old = try SampleBundle(in: scratch)
            try BundleFolder(opening: old.path).sign(with: SecretKey(comment: ""))
            let (archive, new) = try await archive(scratch, "two", layerSize: 2000)
            #expect(try await add(scratch, archive).lostSignature)
            #expect(try finding(scratch) == [])
            let folder = try BundleFolder(opening: old.path)
            #expect(folder.description.images.map(\.digest) == [new.image.digest])
            #expect(folder.description.images[0].needs == ["SINGLEUSER_IMAGE"])
            #expect(folder.description.created == SampleBundle.date)
            // What no image has now is carried no further.
            #expect(folder.file(old.layer) == nil && folder.file(new.layer) != nil)
            #expect(try folder.signature(trusting: TrustedKeys([])) == .unsigned)
        }
    }

    @Test func theSameAgainChangesNothing() async throws {
        try await Scratch.during { scratch in
            let (archive, _) = try await archive(scratch, "one", layerSize: 2000)
            _ = try await add(scratch, archive)
            try BundleFolder(opening: scratch.path.appending("bundle")).sign(with: SecretKey(comment: ""))
            let before = try scratch.read("bundle/bundle.json")
            #expect(try await !add(scratch, archive).lostSignature)
            #expect(try scratch.read("bundle/bundle.json") == before)
        }
    }

    @Test func aSnapComesWithItsAssertion() async throws {
        try await Scratch.during { scratch in
            let snap = try scratch.write("core20_1.snap", "snap")
            let fault = await #expect(throws: BundleFault.self) { try await add(scratch, snap) }
            #expect(fault?.description.hasPrefix("\(snap) has no assertion") == true)
            try scratch.write("core20_1.assert", "assertion")
            #expect(try await add(scratch, snap).files == ["snaps/core20_1.snap", "snaps/core20_1.assert"])
            #expect(try scratch.read("bundle/snaps/core20_1.assert") == Array("assertion".utf8))
            #expect(try finding(scratch) == [])
        }
    }

    @Test func whatIsNoArchiveIsRefusedAndNothingChanges() async throws {
        try await Scratch.during { scratch in
            _ = try SampleBundle(in: scratch)
            let nonsense = try scratch.write("nonsense.tar", noise(5000))
            let before = try scratch.read("bundle/bundle.json")
            await #expect(throws: ImageError.self) { try await add(scratch, nonsense) }
            #expect(try scratch.read("bundle/bundle.json") == before)
            #expect(try finding(scratch) == [])
        }
    }
}
