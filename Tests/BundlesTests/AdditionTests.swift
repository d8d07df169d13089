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

    private func add(
        _ scratch: Scratch, _ files: FilePath..., naming name: String? = nil
    ) async throws -> Addition.Outcome {
        try await Addition(
            to: scratch.path.appending("bundle"), of: files, naming: name.map { try ImageReference(parsing: $0) }
        ).run(index: scratch.path.appending("archives.json"))
    }

    /// Runs a tool; false, and a word about it, where it is missing, which under CI is a failure.
    @discardableResult private func run(_ words: String..., orMissing tool: String = "") async throws -> Bool {
        let isThere =
            try await LocalTransport().run(["sh", "-c", "command -v \(tool.isEmpty ? "sh" : tool)"]).status == 0
        guard isThere else {
            try #require(ProcessInfo.processInfo.environment["CI"] != "true", "there is no \(tool)")
            print("skipped: there is no \(tool)")
            return false
        }
        let outcome = try await LocalTransport().run(Command(words))
        try #require(outcome.status == 0, "\(words): \(outcome)")
        return true
    }

    /// As `helm package` makes it.
    private func chart(_ scratch: Scratch, _ name: String) async throws -> FilePath {
        try scratch.write("jupyterhub/Chart.yaml", "name: jupyterhub\n")
        let path = scratch.path.appending(name)
        try await run("tar", "-C", scratch.path.string, "-czf", path.string, "jupyterhub")
        return path
    }

    private func finding(_ scratch: Scratch) throws -> [String] {
        try Verifier(BundleFolder(opening: scratch.path.appending("bundle"))).run().lines
    }

    @Test func anEmptyDirectoryBecomesABundle() async throws {
        try await Scratch.during { scratch in
            let (archive, sample) = try await archive(scratch, "one", layerSize: 5 << 20)
            let chart = try await chart(scratch, "jupyterhub-4.2.0.tgz")
            let outcome = try await add(scratch, archive, chart)
            #expect(outcome.images == [SampleBundle.name] && outcome.files == ["charts/jupyterhub-4.2.0.tgz"])
            #expect(!outcome.lostSignature)
            #expect(try finding(scratch) == [])
            let images = try BundleFolder(opening: scratch.path.appending("bundle")).description.images
            #expect(images.map(\.digest) == [sample.image.digest])
            #expect(Set(images[0].blobs) == Set(sample.image.blobs))
        }
    }

    @Test(arguments: ["docker", "docker25", "oci"]) func everyKindOfArchiveGoesIn(form: String) async throws {
        try await Scratch.during { scratch in
            let archive = scratch.path.appending("a.tar")
            try await Making.archive(
                [
                    "--ref", "demo/a:1", "--file", "a=b", "--layer", "--file", "c=d", "--ref", "demo/b:1", "--file",
                    "a=b",
                    "--format", form,
                ], at: archive)
            #expect(try await add(scratch, archive).images == ["docker.io/demo/a:1", "docker.io/demo/b:1"])
            #expect(try finding(scratch) == [])
            // As the archive itself would be imported.
            let bundle = scratch.path.appending("bundle")
            let targets = try [archive, bundle.appending("images")].map { path in
                try ImageShelf(archives: [path], index: scratch.path.appending("x.json")).images().map(\.target.hex)
                    .sorted()
            }
            #expect(targets[0] == targets[1])
            let blobs = try BundleFolder(opening: bundle).description.files.filter(\.isBlob)
            // Two manifests, two configs, and of three layers two are one.
            #expect(blobs.count == 6)
        }
    }

    /// Both are called .tgz; what is in it tells.
    @Test func aTarballIsKnownByItsContent() async throws {
        try await Scratch.during { scratch in
            let plain = scratch.path.appending("a.tar")
            try await Making.archive(["--ref", "demo/a:1", "--file", "a=b", "--format", "docker"], at: plain)
            let images = scratch.path.appending("images.tgz")
            try await run("sh", "-c", "gzip -c \(plain) >\(images)")
            let chart = try await chart(scratch, "jupyterhub-4.2.0.tgz")
            let outcome = try await add(scratch, images, chart)
            #expect(outcome.images == ["docker.io/demo/a:1"] && outcome.files == ["charts/jupyterhub-4.2.0.tgz"])
            let before = try scratch.read("bundle/bundle.json")
            try scratch.write("notes/README", "hello")
            let notes = scratch.path.appending("notes.tgz")
            try await run("tar", "-C", scratch.path.string, "-czf", notes.string, "notes")
            let error = await #expect(throws: ImageError.self) { try await add(scratch, notes) }
            #expect(error?.description.hasPrefix("could not read \(notes): it is neither a chart") == true)
            #expect(try scratch.read("bundle/bundle.json") == before)
        }
    }

    /// umoci gives tags, which name no image.
    @Test func anImageOfUmociNeedsAName() async throws {
        try await Scratch.during { scratch in
            let layout = scratch.path.appending("layout").string
            guard try await run("umoci", "init", "--layout", layout, orMissing: "umoci") else { return }
            for tag in ["1", "2"] {
                try await run("umoci", "new", "--image", "\(layout):\(tag)")
                try await run(
                    "umoci", "config", "--image", "\(layout):\(tag)", "--os", "linux", "--architecture", "amd64",
                    "--author", tag)
            }
            let folder = FilePath(layout)
            let both = await #expect(throws: BundleFault.self) { try await add(scratch, folder, naming: "myorg/lab:1") }
            #expect(both?.description.hasSuffix("add each by itself with --name, or save them by their names") == true)
            try await run("umoci", "rm", "--image", "\(layout):2")
            let fault = await #expect(throws: BundleFault.self) { try await add(scratch, folder) }
            #expect(fault?.description.contains("no name, \(layout) (") == true)
            #expect(fault?.description.hasSuffix("as in --name myorg/lab:1") == true)
            #expect(!FileManager.default.fileExists(atPath: scratch.path.appending("bundle").string))
            #expect(try await add(scratch, folder, naming: "myorg/lab:1").images == ["docker.io/myorg/lab:1"])
            #expect(try finding(scratch) == [])
            let named = scratch.path.pushing("bundle/images")
            let surplus = await #expect(throws: BundleFault.self) {
                try await add(scratch, named, naming: "myorg/lab:2")
            }
            #expect(surplus?.description == "every image has a name already: leave --name away")
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
