import Containerd
import Hosts
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Against a real containerd, one a test.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StoreTests {
    @Test(arguments: ArchiveTests.forms.map(\.0)) func everyKindIsLoadedAndThenNothingLacks(kind: String) async throws {
        let form = try #require(ArchiveTests.forms.first { $0.0 == kind }?.1)
        try await PrivateContainerd.with { containerd in
            let sample = Sample(layers: ["base", "top", "base"])
            let image = try containerd.image("a.tar", form(sample))
            let names =
                image.names + [
                    try ImageReference(parsing: "demo@\(image.target)"),
                    try ImageReference(parsing: "localhost:5000/other"),
                ]
            let load = try #require(try await containerd.store.holdings().lacks(image, as: names))
            #expect(load.missing == image.blobs)
            let progress = Mutex<[Int64]>([])
            let done = Mutex<[ImageLoad]>([])
            let effort = try await containerd.store.load(
                [load],
                LoadListener(
                    moved: { moved, total in
                        progress.withLock { $0.append(moved) }
                        #expect(total == load.bytes)
                    },
                    loaded: { load in done.withLock { $0.append(load) } }))
            #expect(effort.bytes == load.bytes)
            #expect(progress.withLock { $0.last } == load.bytes)
            #expect(progress.withLock { $0 == $0.sorted() })
            #expect(done.withLock(\.self) == [load])

            let holdings = try await containerd.store.holdings()
            #expect(holdings.lacks(image, as: names) == nil)
            #expect(names.allSatisfy { holdings.isWhole($0) })
            #expect(holdings == Holdings().adding(load))
            // containerd's own client finds it whole, too; and what was needed on the way is gone.
            let check = try await containerd.ctr("images", "check").output.split(separator: "\n").dropFirst()
            #expect(check.count == names.count && check.allSatisfy { $0.contains("complete") && $0.hasSuffix("true") })
            #expect(try await containerd.api.leases().isEmpty)
            #expect(try await containerd.api.begun().isEmpty)
            _ = try await containerd.collected()
            #expect(try await containerd.store.holdings() == holdings)
        }
    }

    @Test func compressedArchivesAndCompressedLayersAreLoaded() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample(layers: ["base"])
            for tool in ["gzip", "zstd"] {
                let layer = try containerd.folder.write("layer", sample.layers[0])
                let packedLayer = containerd.folder.path.appending("layer.packed")
                guard try await pack(layer, with: tool, to: packedLayer) else { continue }
                let plain = try containerd.folder.write(
                    "plain.tar",
                    [
                        .file("c.json", sample.config), .file("layer", try contents(of: packedLayer)),
                        .file(
                            "manifest.json",
                            Sample("\(tool)", layers: []).dockerList(config: "c.json", layers: ["layer"])),
                    ])
                let packed = containerd.folder.path.appending("\(tool).tar")
                guard try await pack(plain, with: tool, to: packed) else { continue }
                let image = try #require(try containerd.folder.shelf(packed).images().first)
                try await containerd.load(image)
                #expect(try await containerd.store.holdings().lacks(image) == nil)
            }
        }
    }

    @Test func manyImagesGoTogetherAndASharedBaseIsSentOnce() async throws {
        try await PrivateContainerd.with { containerd in
            let one = try containerd.folder.write("one.tar", Sample("one", layers: ["base", "a"]).docker)
            let two = try containerd.folder.write("two.tar", Sample("two", layers: ["base", "b"]).oci)
            let images = try containerd.folder.shelf(one, two).images()
            var holdings = try await containerd.store.holdings()
            var loads: [ImageLoad] = []
            for image in images {
                let load = try #require(holdings.lacks(image))
                holdings = holdings.adding(load)
                loads.append(load)
            }
            #expect(loads[1].missing == images[1].blobs.filter { !images[0].blobs.contains($0) })
            let effort = try await containerd.store.load(loads, LoadListener())
            #expect(effort.bytes == Set(images.flatMap(\.blobs)).reduce(0) { $0 + $1.size })
            let after = try await containerd.store.holdings()
            #expect(images.allSatisfy { after.lacks($0) == nil })
        }
    }

    @Test func whatIsTakenAwayIsNamedAndMended() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample()
            let image = try containerd.image("a.tar", sample.multiPlatform)
            let other = try containerd.folder.write("b.tar", Sample(layers: ["other"]).docker)
            try await containerd.load(image)

            func mended(_ lacks: Set<ImageLoad.Lack>, missing: [Digest] = []) async throws {
                let load = try #require(try await containerd.store.holdings().lacks(image))
                #expect(load.lacks == lacks)
                #expect(load.missing.map(\.digest) == missing)
                let effort = try await containerd.store.load([load], LoadListener())
                #expect(effort.bytes == load.bytes)
                // What is there stays there, and no garbage collection is under way when the next thing is taken.
                _ = try await containerd.collected()
                #expect(try await containerd.store.holdings().lacks(image) == nil)
            }
            for digest in image.blobs.map(\.digest) {
                _ = try await containerd.ctr("content", "rm", digest.description)
                let load = try #require(try await containerd.store.holdings().lacks(image))
                // What hung on it alone may be collected with it.
                #expect(load.missing.contains { $0.digest == digest })
                _ = try await containerd.store.load([load], LoadListener())
                _ = try await containerd.collected()
                #expect(try await containerd.store.holdings().lacks(image) == nil)
            }
            _ = try await containerd.ctr("images", "label", sample.name, "io.cri-containerd.pinned=")
            try await mended([.pin])
            let link = "containerd.io/gc.ref.snapshot.overlayfs="
            _ = try await containerd.ctr("content", "label", image.config.description, link)
            try await mended([.links])
            _ = try await containerd.ctr("images", "tag", sample.name, "docker.io/library/kept:1")
            _ = try await containerd.ctr("images", "rm", "--sync", sample.name)
            try await mended([.name])
            // The same name for another image: what somebody else imported.
            #expect(try await containerd.ctr("images", "import", other.string).status == 0)
            try await mended([.name])
            // As the kubelet's garbage collection does it.
            _ = try await containerd.ctr("images", "rm", "--sync", sample.name, "docker.io/library/kept:1")
            try await mended([.content, .name, .unpacking], missing: image.blobs.map(\.digest))
            let snapshots = try await containerd.ctr("snapshots", "ls").output.split(separator: "\n").dropFirst()
            for snapshot in snapshots.reversed() where image.chain.contains(where: { snapshot.hasPrefix("\($0)") }) {
                _ = try await containerd.ctr("snapshots", "rm", String(snapshot.prefix { $0 != " " }))
            }
            try await mended([.unpacking])
        }
    }

    @Test func whatThatImageAloneHadIsAllThatMoves() async throws {
        try await PrivateContainerd.with { containerd in
            let one = try containerd.image("one.tar", Sample("one", layers: ["base", "a"]).oci)
            let two = try containerd.image("two.tar", Sample("two", layers: ["base", "b"]).oci)
            for image in [one, two] { try await containerd.load(image) }
            _ = try await containerd.ctr("images", "rm", "--sync", "docker.io/library/two:latest")
            let load = try #require(try await containerd.store.holdings().lacks(two))
            #expect(Set(load.missing) == Set(two.blobs).subtracting(one.blobs) && load.missing.count == 3)
            #expect(try await containerd.load(two).bytes == load.bytes)
            #expect(try await containerd.store.holdings().lacks(two) == nil)
        }
    }

    @Test func aDamagedLayerLeavesNoImageAndTheRightArchiveThenLoads() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample.large
            let archive = try containerd.folder.write("a.tar", sample.oci)
            let image = try #require(try containerd.folder.shelf(archive).images().first)
            let good = try contents(of: archive)
            let place = try #require(good.firstRange(of: sample.layers[1][600..<664])?.lowerBound)
            try overwrite(archive, at: Int64(place), [UInt8](repeating: 0, count: 64))
            let error = await #expect(throws: ImageError.self) { try await containerd.load(image) }
            let damaged = Digest(of: sample.layers[1])
            #expect(
                error?.description.contains("a.tar: the blob \(damaged) is damaged: ") == true,
                "\(error?.reason ?? "")")
            #expect(error?.description.contains("\n") == false)
            let after = try await containerd.store.holdings()
            #expect(after.records.isEmpty)
            #expect(Set(after.content.keys).isSubset(of: image.blobs.map(\.digest)) && after.content[damaged] == nil)
            #expect(try await containerd.api.begun()["jhub-install-\(damaged)"] == nil)

            let better = try containerd.folder.write("a.tar", good)
            let again = try #require(try containerd.folder.shelf(better).images().first)
            try await containerd.load(again)
            #expect(try await containerd.store.holdings().lacks(again) == nil)
        }
    }

    @Test func aConfigThatLiesAboutALayerLeavesNoImage() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample()
            let lie = sample.config.replacing(sample.differences[1], with: "\(Digest(of: "another".utf8))")
            let packed = containerd.folder.path.appending("packed")
            let layer = try containerd.folder.write("layer", sample.layers[1])
            guard try await pack(layer, with: "gzip", to: packed) else { return }
            let members: [Tar.Member] = [
                .file("c.json", lie), .file("0", sample.layers[0]), .file("1", try contents(of: packed)),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["0", "1"])),
            ]
            let image = try containerd.image("a.tar", members)
            let error = await #expect(throws: ImageError.self) { try await containerd.load(image) }
            let reason = error?.reason ?? ""
            #expect(reason.contains("unpacks to \(sample.differences[1])"), "\(reason)")
            #expect(try await containerd.store.holdings().records.isEmpty)
        }
    }

    /// Its digest is right, and what lies in it is not what its type says, or breaks off.
    @Test(arguments: ["compressed, and its type says that it is not", "cut off before it was hashed"])
    func aLayerThatCannotBeUnpackedLeavesNoImage(fault: String) async throws {
        try await PrivateContainerd.with { containerd in
            let plain = Sample.large.layers[0]
            let packed = containerd.folder.path.appending("packed")
            guard try await pack(try containerd.folder.write("layer", plain), with: "gzip", to: packed) else { return }
            let isCut = fault.hasPrefix("cut")
            let damaged = Array(try contents(of: packed).dropLast(isCut ? 1000 : 0))
            var sample = Sample()
            sample.layers = [damaged]
            if isCut { sample.types.layer += "+gzip" }
            sample.configEdit = { $0.replacing("\(Digest(of: damaged))", with: "\(Digest(of: plain))") }
            let image = try containerd.image("a.tar", sample.oci)
            let error = await #expect(throws: ImageError.self) { try await containerd.load(image) }
            let layer = "\(Digest(of: damaged)) of \(sample.name) on here"
            #expect(error?.description.hasPrefix("could not unpack the layer \(layer): ") == true)
            #expect(error?.description.contains("\n") == false)
            let after = try await containerd.store.holdings()
            #expect(after.records.isEmpty && after.snapshots.isEmpty)
        }
    }

    @Test func aSecondNameForAnotherDigestIsRefusedBeforeAnythingMoves() async throws {
        try await PrivateContainerd.with { containerd in
            let image = try containerd.image("a.tar", Sample().multiPlatform)
            let name = try ImageReference(parsing: "demo@\(image.config)")
            let load = try #require(Holdings().lacks(image, as: [name]))
            let error = await #expect(throws: ImageError.self) {
                _ = try await containerd.store.load([load], LoadListener())
            }
            #expect(error?.description.contains("not that digest") == true)
            #expect(try await containerd.store.holdings().content.isEmpty)
        }
    }

    @Test func withoutContainerdItIsSaidWhere() async throws {
        let store = ContainerdStore(on: "here", at: "/no/such.sock")
        let error = await #expect(throws: ImageError.self) { _ = try await store.holdings() }
        #expect(error?.description.contains("of here:") == true)
        #expect(error?.description.contains("/no/such.sock: No such file or directory") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func anInterruptFinishesWhatIsInHandAndLeavesTheRestToTheNextRun() async throws {
        try await PrivateContainerd.with { containerd in
            let images = try ["one", "two", "three"].map { name in
                try containerd.image("\(name).tar", Sample(name, layers: ["base", name]).oci)
            }
            let loads = images.compactMap { Holdings().lacks($0) }
            let asked = Mutex(0)
            let done = Mutex<[ImageLoad]>([])
            let error = await #expect(throws: ImageError.self) {
                _ = try await containerd.store.load(
                    loads,
                    LoadListener(
                        loaded: { load in done.withLock { $0.append(load) } },
                        isInterrupted: {
                            asked.withLock { $0 += 1 }
                            return asked.withLock { $0 > 1 }
                        }))
            }
            #expect(error?.reason == "interrupted")
            #expect(done.withLock { $0.count } == 1)
            let between = try await containerd.store.holdings()
            #expect(between.records.count == 1)
            for image in images where between.lacks(image) != nil { try await containerd.load(image) }
            let after = try await containerd.store.holdings()
            #expect(images.allSatisfy { after.lacks($0) == nil })
        }
    }

    /// All images of a bundle lie in one layout: each goes by itself.
    @Test func anInterruptDoesNotWaitForAWholeLayout() async throws {
        try await PrivateContainerd.with { containerd in
            let samples = ["one", "two", "three", "four"].map {
                Sample("docker.io/library/\($0):1", layers: ["base", $0])
            }
            for sample in samples { _ = try containerd.folder.unpack(sample.blobs, as: "layout") }
            let entries = samples.dropFirst().map { sample in
                sample.descriptor(
                    sample.types.manifest, Array(sample.manifest.utf8),
                    #","annotations":{"io.containerd.image.name":"\#(sample.name)"}"#)
            }
            let index = samples[0].index(of: samples[0].manifest, samples[0].types.manifest, others: entries)
            let layout = try containerd.folder.unpack([.file("index.json", index)], as: "layout")
            let images = try containerd.folder.shelf(layout).images()
            let loads = images.reduce(into: (loads: [ImageLoad](), holdings: Holdings())) { sum, image in
                guard let load = sum.holdings.lacks(image) else { return }
                sum.loads.append(load)
                sum.holdings = sum.holdings.adding(load)
            }.loads
            let asked = Mutex(0)
            let done = Mutex<[ImageLoad]>([])
            let error = await #expect(throws: ImageError.self) {
                _ = try await containerd.store.load(
                    loads,
                    LoadListener(
                        loaded: { load in done.withLock { $0.append(load) } },
                        isInterrupted: {
                            asked.withLock { asked in
                                asked += 1
                                return asked > 2
                            }
                        }))
            }
            #expect(error?.reason == "interrupted")
            // The two that were in hand.
            #expect(done.withLock { $0.count } == 2)
            for image in images {
                let between = try await containerd.store.holdings()
                if between.lacks(image) != nil { try await containerd.load(image) }
            }
            #expect(try await containerd.store.holdings().records.count == 4)
        }
    }
}
