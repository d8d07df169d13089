import SystemPackage
import Testing

@testable import Images

/// What a store lacks, by what it says that it has.
@Suite struct HoldingsTests {
    private let name = "docker.io/library/demo:1"

    private func image(_ members: [Tar.Member]) async throws -> ArchivedImage {
        try await Folder.with { folder in
            try #require(try folder.shelf(try folder.write("a.tar", members)).images().first)
        }
    }

    private func whole(_ image: ArchivedImage) throws -> Holdings {
        Holdings().adding(try #require(Holdings().lacks(image)))
    }

    @Test func anEmptyStoreLacksEverything() async throws {
        let image = try await image(Sample().oci)
        let load = try #require(Holdings().lacks(image))
        #expect(load.missing == image.blobs && load.packed == image.layers)
        #expect(load.lacks == [.content, .unpacking, .name])
        #expect(try whole(image).lacks(image) == nil)
    }

    @Test func whatIsLackingIsNamed() async throws {
        let image = try await image(Sample().multiPlatform)
        let whole = try whole(image)
        func lacks(_ change: (inout Holdings) -> Void) -> Set<ImageLoad.Lack>? {
            var holdings = whole
            change(&holdings)
            return holdings.lacks(image)?.lacks
        }
        #expect(lacks { _ in } == nil)
        #expect(lacks { $0.records[name] = nil } == [.name])
        #expect(lacks { $0.records[name]?.digest = image.config } == [.name])
        #expect(lacks { $0.records[name]?.labels = [:] } == [.pin])
        #expect(lacks { $0.content[image.config] = nil } == [.content])
        #expect(lacks { $0.content[image.config] = [:] } == [.links])
        #expect(lacks { $0.snapshots.remove(image.chain[1]) } == [.unpacking])
        let other = try ImageReference(parsing: "other")
        #expect(whole.lacks(image, as: [other])?.references == [other])
    }

    @Test func layersAreUnpackedByTheirChain() async throws {
        let sample = Sample(layers: ["base", "top", "base"])
        let image = try await image(sample.oci)
        let base = Digest(of: sample.layers[0])
        let two = Digest(of: "\(base) \(Digest(of: sample.layers[1]))".utf8)
        #expect(image.chain == [base, two, Digest(of: "\(two) \(base)".utf8)])
        #expect(image.blobs.count == 4 && image.layers.count == 3)
        var holdings = Holdings()
        holdings.snapshots = [base, two]
        #expect(holdings.lacks(image)?.packed == [image.layers[2]])
    }

    @Test func whatRefersToWhatIsLabelledAsContainerdDoes() async throws {
        let sample = Sample()
        let image = try await image(sample.multiPlatform)
        let links = image.links(with: "native")
        let manifest = Digest(of: sample.manifest.utf8)
        #expect(links[image.target] == ["containerd.io/gc.ref.content.m.0": manifest.description])
        #expect(
            links[manifest] == [
                "containerd.io/gc.ref.content.config": image.config.description,
                "containerd.io/gc.ref.content.l.0": Digest(of: sample.layers[0]).description,
                "containerd.io/gc.ref.content.l.1": Digest(of: sample.layers[1]).description,
            ])
        #expect(links[image.config] == ["containerd.io/gc.ref.snapshot.native": image.chain[1].description])
        #expect(links.count == 3)
    }

    @Test func aLabelThatSomebodyElseSetStays() {
        let (key, value) = ("containerd.io/gc.ref.content.m.0", String(repeating: "b", count: 64))
        #expect(Links.missing([key: value], from: [key: "a"]) == ["\(key).bbbbbbbbbbbb": value])
        #expect(Links.missing([key: value], from: ["containerd.io/gc.ref.content.m.7": value]).isEmpty)
        #expect(Links.missing([key: value], from: ["of somebody": value]) == [key: value])
    }

    @Test func aDigestMayMeanTheIndexOrTheManifestInItAndNothingElse() async throws {
        let sample = Sample()
        let image = try await image(sample.multiPlatform)
        for digest in [Digest(of: sample.platforms.utf8), Digest(of: sample.manifest.utf8)] {
            let name = try ImageReference(parsing: "demo@\(digest)")
            let load = try #require(Holdings().lacks(image, as: [name]))
            #expect(Holdings().adding(load).lacks(image, as: [name]) == nil)
            #expect(Holdings().adding(load).records[name.description]?.digest == digest)
        }
        #expect(image.target(for: try ImageReference(parsing: "demo@\(image.config)")) == nil)
    }

    @Test func anImageIsWholeWhereAllThatItsLabelsNameIsThere() async throws {
        let image = try await image(Sample().multiPlatform)
        let name = try #require(image.names.first)
        var holdings = try whole(image)
        #expect(holdings.isWhole(name))
        // Other platforms, of which nothing was fetched.
        holdings.content[image.target]?["containerd.io/gc.ref.content.m.1"] = Digest(of: "arm64".utf8).description
        #expect(holdings.isWhole(name))
        for digest in [image.target, image.source.manifest.digest, image.config, image.layers[0].blob.digest] {
            var less = holdings
            less.content[digest] = nil
            #expect(!less.isWhole(name), "\(digest)")
        }
        holdings.content[image.source.manifest.digest] = [:]
        #expect(!holdings.isWhole(name))
    }

    @Test func theDiskIsForecastFromLayersAndTheirForm() async throws {
        let image = try await image(Sample().oci)
        var load = try #require(Holdings().lacks(image))
        let plain = image.layers.reduce(0) { $0 + $1.blob.size }
        #expect(load.room == load.bytes + plain)
        load.packed[0].difference = Digest(of: "what it inflates to".utf8)
        #expect(load.room == load.bytes + plain + 2 * load.packed[0].blob.size)
        #expect(try whole(image).lacks(image, as: [try ImageReference(parsing: "other")])?.room == 0)
    }
}
