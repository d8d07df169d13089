import Containerd
import Hosts
import Images
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Bundles

/// Images out of a real containerd.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ContainerdSupplyTests {
    private static let image = "reg.example/team/app:1"
    private static let blobs = [StubRegistry.index, StubRegistry.manifest, StubRegistry.config, StubRegistry.layer]

    private func with(_ body: (PrivateContainerd, Scratch) async throws -> Void) async throws {
        guard try await PrivateContainerd.isPossible() else {
            Issue.record("\(PrivateContainerd.needs) are needed")
            return
        }
        try await Scratch.during { scratch in
            try scratch.write("containerd/.keep", "")
            let containerd = PrivateContainerd(in: scratch.path.appending("containerd"))
            try await containerd.run { try await body(containerd, scratch) }
        }
    }

    /// Puts these contents there, and the image's name.
    private func fill(_ containerd: PrivateContainerd, with texts: [String] = Self.blobs) async throws {
        var api = Containerd(at: containerd.socket)
        try await api.makeLease("test", labels: [:])
        api.lease = "test"
        for text in texts {
            let content = Containerd.Content(digest: StubRegistry.digest(text), size: Int64(text.utf8.count))
            let rest = Mutex<[UInt8]?>(Array(text.utf8))
            try await api.write(
                Containerd.Ingest(content.digest, of: content, from: 0), within: .seconds(60),
                next: { () throws(ContainerdError) in
                    rest.withLock { rest in
                        defer { rest = nil }
                        return rest
                    }
                }, written: { _ in })
        }
        let target = Containerd.Descriptor(
            mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
            digest: StubRegistry.digest(StubRegistry.index), size: Int64(StubRegistry.index.utf8.count))
        try await api.put(Containerd.Image(name: Self.image, target: target))
    }

    private func supply(_ containerd: PrivateContainerd) async throws -> ContainerdSupply {
        try await ContainerdSupply(containerd.socket, namespace: "k8s.io", name: "the node")
    }

    private func making(
        _ containerd: PrivateContainerd, in scratch: Scratch, _ wanted: String = Self.image
    ) async throws -> Making {
        Making(target: scratch.path.appending("bundle"), supplies: [try await supply(containerd)], wanted: [wanted])
    }

    @Test func itGivesTheBundleThatItsRegistryWouldGive() async throws {
        let registry = try StubRegistry()
        try await with { containerd, scratch in
            try await fill(containerd)
            var making = try await making(containerd, in: scratch)
            let description = try await making.run()
            // The index is whole, though the manifest for the other platform is not there.
            #expect(Set(description.images[0].blobs.map(\.digest)) == Set(Self.blobs.map { Digest(of: $0.utf8) }))
            let made = try everything(in: making.target)
            making.target = scratch.path.appending("other")
            making.supplies = [RegistrySupply(registry.client())]
            try await making.run()
            #expect(try everything(in: making.target) == made)
        }
    }

    @Test(arguments: ["docker", "oci"]) func whatItsOwnClientImportedIsGiven(form: String) async throws {
        try await with { containerd, scratch in
            let archive = scratch.path.appending("a.tar")
            try await Making.archive(
                ["--ref", "demo/a:1", "--file", "a=b", "--layer", "--file", "c=d", "--format", form], at: archive)
            let outcome = try await containerd.ctr("images", "import", archive.string)
            try #require(outcome.status == 0, "\(outcome)")
            let making = try await making(containerd, in: scratch, "demo/a:1")
            let description = try await making.run()
            let known = try await Containerd(at: containerd.socket).images().map(\.target.digest)
            #expect(description.images.map(\.digest.description) == known)
            let shelf = ImageShelf(
                archives: [making.target.appending("images")], index: scratch.path.appending("index.json"))
            #expect(try shelf.images().map(\.names) == [[try ImageReference(parsing: "demo/a:1")]])
        }
    }

    @Test func aDigestIsFoundWhateverItsName() async throws {
        try await with { containerd, _ in
            try await fill(containerd)
            let index = Digest(of: StubRegistry.index.utf8)
            let supply = try await supply(containerd)
            let name = try ImageReference(parsing: "elsewhere.example/app@\(index)")
            #expect(try await supply.image(name)?.target.digest == index)
            #expect(try await supply.image(ImageReference(parsing: "reg.example/team/app:2")) == nil)
        }
    }

    @Test func anImageWithoutItsLayersIsNamedAndTheNextSourceIsAsked() async throws {
        let registry = try StubRegistry()
        try await with { containerd, scratch in
            try await fill(containerd, with: Self.blobs.filter { $0 != StubRegistry.layer })
            var making = try await making(containerd, in: scratch)
            let fault = await #expect(throws: BundleFault.self) { try await making.run() }
            let layer = StubRegistry.digest(StubRegistry.layer)
            let words = "the node has it without \(layer), as with discard_unpacked_layers"
            #expect(fault?.description.contains("could not find \(Self.image) (TEST): \(words)") == true)
            #expect(fault?.blame == .bundle)
            making.supplies.append(RegistrySupply(registry.client()))
            #expect(try await making.run().images.map(\.names) == [[Self.image]])
        }
    }

    @Test func anImageForAnotherPlatformIsNamed() async throws {
        try await with { containerd, scratch in
            try await fill(containerd, with: [StubRegistry.index])
            let making = try await making(containerd, in: scratch)
            let fault = await #expect(throws: BundleFault.self) { try await making.run() }
            let manifest = StubRegistry.digest(StubRegistry.manifest)
            #expect(fault?.description.contains("without \(manifest), as where it was pulled for another") == true)
        }
    }

    @Test(arguments: [StubRegistry.config, StubRegistry.layer]) func whatItsDiskSpoiledIsNotTaken(
        text: String
    ) async throws {
        try await with { containerd, scratch in
            try await fill(containerd)
            let place = "root/io.containerd.content.v1.content/blobs/sha256/\(Digest(of: text.utf8).hex)"
            try flip(containerd.root.pushing(FilePath(place)), at: 30)
            let making = try await making(containerd, in: scratch)
            let fault = await #expect(throws: BundleFault.self) { try await making.run() }
            #expect(fault?.description.contains(StubRegistry.digest(text)) == true)
            #expect(fault?.description.contains("the digest sha256:") == true)
            #expect(throws: BundleFault.self) { try BundleFolder(opening: making.target) }
        }
    }

    @Test func whereNoneAnswersThatIsSaid() async throws {
        let fault = await #expect(throws: BundleFault.self) {
            _ = try await ContainerdSupply("/no/such.sock", namespace: "k8s.io", name: "containerd:/no/such.sock")
        }
        #expect(fault?.description.hasPrefix("could not ask containerd:/no/such.sock for its images: ") == true)
        #expect(fault?.description.contains("No such file or directory") == true)
        #expect(fault?.blame == .machine)
    }
}
