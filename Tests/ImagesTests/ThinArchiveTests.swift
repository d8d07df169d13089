import Hosts
import Synchronization
import SystemPackage
import Testing

@testable import Images

@Suite struct ThinArchiveTests {
    let transport = KeepingTransport()
    var store: ImageStore { ImageStore(host: Host(name: "here", transport: transport), command: ["ctr"]) }

    @Test func onlyWhatIsMissingIsSentAndTheIndexComesLast() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let archive = try folder.write("a.tar", sample.docker)
            let image = try #require(try folder.shelf(archive).images().first)
            var holdings = Holdings()
            holdings.content = [Digest(of: sample.layers[0])]
            let load = try #require(store.lacks(image, in: holdings))
            #expect(
                load.missing.map(\.digest) == image.blobs.map(\.digest).filter { $0 != Digest(of: sample.layers[0]) })
            try await store.load(load)

            let sent = try folder.write("sent.tar", transport.fed.withLock { $0 })
            var reader = try ArchiveReader(at: sent)
            var members: [(name: String, bytes: [UInt8])] = []
            while let member = try reader.next() {
                members.append((member.name, try reader.read(upTo: Int(member.size))))
            }
            #expect(members.first?.name == "oci-layout")
            #expect(members.last?.name == "index.json")
            let blobs = members.dropFirst().dropLast()
            #expect(Set(blobs.map { Digest(of: $0.bytes) }) == Set(load.missing.map(\.digest)))
            #expect(blobs.allSatisfy { $0.name.hasSuffix(Digest(of: $0.bytes).hex) })
            let index = String(decoding: members.last?.bytes ?? [], as: UTF8.self)
            #expect(index.contains(#""io.containerd.image.name":"docker.io/library/demo:1""#))
            #expect(index.contains(#""digest":"\#(image.target)""#))
            #expect(
                transport.ran.withLock { $0 } == [
                    ["ctr", "images", "import", "-"],
                    ["ctr", "images", "label", sample.name, "io.cri-containerd.pinned=pinned"],
                ])
        }
    }

    @Test func aPinAloneSendsNothing() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().oci)
            let image = try #require(try folder.shelf(archive).images().first)
            var holdings = Holdings().adding(try #require(store.lacks(image, in: Holdings())))
            #expect(store.lacks(image, in: holdings) == nil)
            holdings.records["docker.io/library/demo:1"]?.labels = []
            let load = try #require(store.lacks(image, in: holdings))
            #expect(load.lacks == [.pin] && load.bytes == 0)
            try await store.load(load)
            #expect(transport.ran.withLock { $0.map { $0[2] } } == ["label"])
        }
    }

    @Test func whatIsLackingIsNamed() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().multiPlatform)
            let image = try #require(try folder.shelf(archive).images().first)
            let whole = Holdings().adding(try #require(store.lacks(image, in: Holdings())))
            func lacks(_ change: (inout Holdings) -> Void) -> Set<ImageLoad.Lack>? {
                var holdings = whole
                change(&holdings)
                return store.lacks(image, in: holdings)?.lacks
            }
            let name = "docker.io/library/demo:1"
            #expect(lacks { $0.records[name] = nil } == [.name])
            #expect(lacks { $0.records[name]?.digest = image.config } == [.name])
            #expect(lacks { $0.records[name]?.isUnpacked = false } == [.unpacking])
            #expect(lacks { $0.records[name]?.isComplete = false } == [.content])
            #expect(lacks { $0.content.remove(image.config) } == [.content])
            let other = try ImageReference(parsing: "other")
            #expect(store.lacks(image, as: [other], in: whole)?.references == [other])
        }
    }

    @Test func aDigestMayMeanTheIndexOrTheManifestInItAndNothingElse() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let archive = try folder.write("a.tar", sample.multiPlatform)
            let image = try #require(try folder.shelf(archive).images().first)
            for digest in [Digest(of: sample.platforms.utf8), Digest(of: sample.manifest.utf8)] {
                let name = try ImageReference(parsing: "demo@\(digest)")
                let load = try #require(store.lacks(image, as: [name], in: Holdings()))
                #expect(store.lacks(image, as: [name], in: Holdings().adding(load)) == nil)
                try await store.load(load)
            }
            let name = try ImageReference(parsing: "demo@\(image.config)")
            let load = try #require(store.lacks(image, as: [name], in: Holdings()))
            let error = await #expect(throws: ImageError.self) { try await store.load(load) }
            #expect(error?.description.contains("not that digest") == true)
        }
    }

    @Test func aDamagedLayerEndsTheStreamBeforeItsOwnEnd() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let archive = try folder.write("a.tar", sample.oci)
            let image = try #require(try folder.shelf(archive).images().first)
            let bytes = try contents(of: archive)
            let place = try #require(bytes.firstRange(of: Array("this is top".utf8))?.lowerBound)
            try overwrite(archive, at: Int64(place), [0])
            let load = try #require(store.lacks(image, in: Holdings()))
            let error = await #expect(throws: ImageError.self) { try await store.load(load) }
            let said = error?.description ?? ""
            let top = Digest(of: sample.layers[1])
            var damaged = sample.layers[1]
            damaged[512] = 0
            #expect(
                said.contains(
                    "a.tar: 'blobs/sha256/\(top.hex)' is damaged: expected \(top), found \(Digest(of: damaged))"))
            #expect(transport.fed.withLock { $0.firstRange(of: Array("his is top".utf8)) } == nil)
        }
    }

    @Test func anArchiveThatLostAMemberSinceItWasReadIsNoticed() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().oci)
            let image = try #require(try folder.shelf(archive).images().first)
            _ = try folder.write("a.tar", Sample(layers: ["base", "another"]).oci)
            let load = try #require(store.lacks(image, in: Holdings()))
            let error = await #expect(throws: ImageError.self) { try await store.load(load) }
            #expect(error?.description.contains("it lacks 'blobs/sha256/") == true)
        }
    }

    @Test(arguments: [0, 1, 511, 512, (1 << 33) - 1, 1 << 33, 1 << 40] as [Int64])
    func sizesAboveEightGibibytesAreWritten(size: Int64) async throws {
        try await Folder.with { folder in
            let file = try folder.write("a.tar", TarHeader.file("x", size: size))
            try grow(file, to: 512 + size + 1024)
            var reader = try ArchiveReader(at: file)
            #expect(try reader.next() == ArchiveReader.Member(name: "x", kind: .file, size: size))
        }
    }

    /// House rule: at most 64 MiB, whatever the size of a layer.
    @Test func aGreatLayerTakesLittleMemory() async throws {
        try await Folder.with { folder in
            let size: Int64 = 600 << 20
            let file = try folder.write("a.tar", TarHeader.file("blobs/sha256/x", size: size))
            try grow(file, to: 512 + size + 1024)
            let blob = Blob(digest: Digest(of: []), size: size)
            let image = ArchivedImage(
                names: [], target: blob.digest, platform: .linuxAMD64, config: blob.digest, blobs: [blob],
                archive: file,
                source: ArchivedImage.Source(
                    mediaType: "", manifest: blob, manifestType: "", members: [blob.digest: "blobs/sha256/x"]))
            let drain = KeepingTransport(keeps: false)
            let store = ImageStore(host: Host(name: "here", transport: drain), command: ["ctr"])
            let before = try peakMemory()
            let load = ImageLoad(image: image, references: [], missing: [blob], lacks: [.content])
            let error = await #expect(throws: ImageError.self) { try await store.load(load) }
            #expect(error?.description.contains("is damaged") == true)
            #expect(drain.counted.withLock { $0 } > size - (2 << 20))
            #expect(drain.largest.withLock { $0 } <= 1 << 20)
            let grown = try peakMemory() - before
            print("memory for a layer of 600 MiB: \(grown >> 20) MiB")
            // The other tests of this process are in it, too; alone it is 3 MiB.
            #expect(grown < size)
        }
    }
}

/// Bytes, of this process, so far (VmHWM, proc(5)).
private func peakMemory() throws -> Int {
    let status = String(decoding: try contents(of: "/proc/self/status"), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.split(whereSeparator: { $0 == " " || $0 == "\t" })[1])) << 10
}
