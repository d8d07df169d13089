import FoundationEssentials
import Glibc
import Hosts
import Images
import Synchronization
import SystemPackage
import Testing

/// Against a real containerd, one a test.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StoreTests {
    @Test(arguments: ArchiveTests.forms.map(\.0)) func everyKindIsLoadedAndThenNothingLacks(kind: String) async throws {
        let form = try #require(ArchiveTests.forms.first { $0.0 == kind }?.1)
        try await PrivateContainerd.with { containerd in
            let sample = Sample(layers: ["base", "top", "base"])
            let archive = try containerd.folder.write("a.tar", form(sample))
            let image = try #require(try containerd.folder.shelf(archive).images().first)
            let names =
                image.names + [
                    try ImageReference(parsing: "demo@\(image.target)"),
                    try ImageReference(parsing: "localhost:5000/other"),
                ]
            let store = containerd.store
            let load = try #require(store.lacks(image, as: names, in: try await store.holdings()))
            #expect(load.missing == image.blobs)
            let progress = Mutex<[Int64]>([])
            try await store.load(load) { sent in progress.withLock { $0.append(sent) } }
            #expect(progress.withLock { $0.last } == load.bytes)
            #expect(progress.withLock { $0 == $0.sorted() })

            let holdings = try await store.holdings()
            #expect(store.lacks(image, as: names, in: holdings) == nil)
            #expect(holdings.records.keys.sorted() == names.map(\.description).sorted())
            #expect(holdings == Holdings().adding(load).having(content: holdings.content))
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
                let store = containerd.store
                try await store.load(try #require(store.lacks(image, in: try await store.holdings())))
                #expect(store.lacks(image, in: try await store.holdings()) == nil)
            }
        }
    }

    @Test func aSharedBaseIsSentOnce() async throws {
        try await PrivateContainerd.with { containerd in
            let one = try containerd.folder.write("one.tar", Sample("one", layers: ["base", "a"]).docker)
            let two = try containerd.folder.write("two.tar", Sample("two", layers: ["base", "b"]).oci)
            let images = try containerd.folder.shelf(one, two).images()
            let store = containerd.store
            let empty = try await store.holdings()
            let first = try #require(store.lacks(images[0], in: empty))
            let second = try #require(store.lacks(images[1], in: empty.adding(first)))
            #expect(second.missing == images[1].blobs.filter { !images[0].blobs.contains($0) })
            #expect(second.missing.count == 3)
            try await store.load(first)
            try await store.load(second)
            let holdings = try await store.holdings()
            #expect(images.allSatisfy { store.lacks($0, in: holdings) == nil })
        }
    }

    @Test func whatIsTakenAwayIsNamedAndMended() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample()
            let archive = try containerd.folder.write("a.tar", sample.multiPlatform)
            let other = try containerd.folder.write("b.tar", Sample(layers: ["other"]).docker)
            let image = try #require(try containerd.folder.shelf(archive).images().first)
            let store = containerd.store
            try await store.load(try #require(store.lacks(image, in: try await store.holdings())))

            func mended(_ lacks: Set<ImageLoad.Lack>, missing: [Digest] = []) async throws {
                let load = try #require(store.lacks(image, in: try await store.holdings()))
                #expect(load.lacks == lacks)
                #expect(load.missing.map(\.digest) == missing)
                try await store.load(load)
                #expect(store.lacks(image, in: try await store.holdings()) == nil)
            }
            for digest in image.blobs.map(\.digest) {
                _ = try await containerd.ctr("content", "rm", digest.description)
                let load = try #require(store.lacks(image, in: try await store.holdings()))
                // What hung on it alone may be collected with it.
                #expect(load.missing.contains { $0.digest == digest })
                try await store.load(load)
                #expect(store.lacks(image, in: try await store.holdings()) == nil)
            }
            _ = try await containerd.ctr("images", "label", sample.name, "io.cri-containerd.pinned=")
            try await mended([.pin])
            _ = try await containerd.ctr("images", "tag", sample.name, "docker.io/library/kept:1")
            _ = try await containerd.ctr("images", "rm", "--sync", sample.name)
            try await mended([.name])
            // The same name for another image: what somebody else imported.
            #expect(try await containerd.ctr("images", "import", other.string).status == 0)
            try await mended([.name])
            _ = try await containerd.ctr("images", "rm", "--sync", sample.name, "docker.io/library/kept:1")
            try await mended([.content, .name], missing: image.blobs.map(\.digest))
            let snapshots = try await containerd.ctr("snapshots", "ls").output.split(separator: "\n").dropFirst()
            for snapshot in snapshots.reversed() {
                _ = try await containerd.ctr("snapshots", "rm", String(snapshot.prefix { $0 != " " }))
            }
            try await mended([.unpacking])
        }
    }

    @Test func aDamagedLayerLeavesNoImageAndTheRightArchiveThenLoads() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = big
            let archive = try containerd.folder.write("a.tar", sample.oci)
            let image = try #require(try containerd.folder.shelf(archive).images().first)
            let good = try contents(of: archive)
            let place = try #require(good.firstRange(of: sample.layers[1][600..<664])?.lowerBound)
            try overwrite(archive, at: Int64(place), [UInt8](repeating: 0, count: 64))
            let store = containerd.store
            let load = try #require(store.lacks(image, in: try await store.holdings()))
            let error = await #expect(throws: ImageError.self) { try await store.load(load) }
            #expect(error?.description.contains("is damaged: expected") == true)
            let after = try await store.holdings()
            #expect(after.records.isEmpty)
            #expect(after.content.isSubset(of: image.blobs.map(\.digest)))

            let better = try containerd.folder.write("a.tar", good)
            let again = try #require(try containerd.folder.shelf(better).images().first)
            try await store.load(try #require(store.lacks(again, in: try await store.holdings())))
            #expect(store.lacks(again, in: try await store.holdings()) == nil)
        }
    }

    @Test(arguments: [false, true]) func killedInTheMiddleTheNextRunSendsTheRest(spoiled: Bool) async throws {
        try await PrivateContainerd.with { containerd in
            let archive = try containerd.folder.write("a.tar", big.oci)
            let image = try #require(try containerd.folder.shelf(archive).images().first)
            let pidFile = containerd.folder.path.appending("ctr.pid")
            var store = containerd.store
            store.command = ["sh", "-c", #"echo $$ >"$0"; exec "$@""#, pidFile.string] + containerd.ctr
            let load = try #require(store.lacks(image, in: try await containerd.store.holdings()))
            await #expect(throws: (any Error).self) {
                try await store.load(load) { sent in
                    guard sent > load.bytes / 2, let text = try? contents(of: pidFile) else { return }
                    if let process = pid_t(String(decoding: text, as: UTF8.self).filter(\.isNumber)) {
                        kill(process, SIGKILL)
                    }
                }
            }
            let between = try await containerd.store.holdings()
            #expect(between.records.isEmpty)
            let rest = try #require(containerd.store.lacks(image, in: between))
            #expect(rest.missing.count < load.missing.count && rest.lacks == [.content, .name])
            if spoiled { try spoilWhatWasBegun(containerd) }
            try await containerd.store.load(rest)
            #expect(containerd.store.lacks(image, in: try await containerd.store.holdings()) == nil)
        }
    }

    @Test func whatCtrSaysIsPassedOn() async throws {
        let store = ImageStore(
            host: Host(name: "here", transport: LocalTransport()),
            command: ["ctr", "--connect-timeout", "200ms", "-a", "/no/such.sock"])
        guard try await LocalTransport().run(["sh", "-c", "command -v ctr"]).status == 0 else {
            return try missing("ctr")
        }
        let error = await #expect(throws: ImageError.self) { _ = try await store.holdings() }
        #expect(error?.description.contains("on here:") == true)
        #expect(error?.description.contains("/no/such.sock") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func aStoreThatGivesUpInTheMiddleSaysWhy() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", big.oci)
            let image = try #require(try folder.shelf(archive).images().first)
            let full = "head -c 1000000 >/dev/null; echo 'ctr: no space left on device' >&2; exit 1"
            let host = Host(name: "here", transport: LocalTransport())
            let store = ImageStore(host: host, command: ["sh", "-c", full])
            let load = try #require(store.lacks(image, in: Holdings()))
            let error = await #expect(throws: (any Error).self) { try await store.load(load) }
            let said = error.map { "\($0)" } ?? ""
            #expect(said.contains("no space left on device") && !said.contains("\n"), "\(said)")
        }
    }

    /// Two layers of 6 MiB that do not compress.
    private var big: Sample {
        var sample = Sample()
        var state: UInt64 = 42
        sample.layers = ["one", "two"].map { name in
            var noise: [UInt8] = []
            for _ in 0..<(6 << 17) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                withUnsafeBytes(of: state) { noise += $0 }
            }
            return Tar(members: [.file(name, noise)]).bytes
        }
        return sample
    }

    /// As a power cut does: the length is there, the bytes are not.
    private func spoilWhatWasBegun(_ containerd: PrivateContainerd) throws {
        let ingests = containerd.folder.path.appending("root/io.containerd.content.v1.content/ingest")
        let names = try FileManager.default.contentsOfDirectory(atPath: ingests.string)
        #expect(!names.isEmpty)
        for name in names {
            try overwrite(ingests.appending(name).appending("data"), at: 0, [UInt8](repeating: 0, count: 4096))
        }
    }
}

extension Holdings {
    fileprivate func having(content: Set<Digest>) -> Holdings {
        var holdings = self
        holdings.content = content
        return holdings
    }
}
