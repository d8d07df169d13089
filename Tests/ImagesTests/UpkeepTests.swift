import Containerd
import Glibc
import Hosts
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// What is read back from a real containerd, and taken away from it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UpkeepTests {
    private func file(of digest: Digest, in containerd: PrivateContainerd) -> FilePath {
        containerd.root.pushing("root/io.containerd.content.v1.content/blobs/sha256").appending(digest.hex)
    }

    @Test func aBlobIsReadFromAnyByteOnInSmallPieces() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample.large
            try await containerd.load(try containerd.image("a.tar", sample.oci))
            let layer = sample.layers[1]
            let digest = "\(Digest(of: layer))"
            for offset in [0, 1, 5 << 20, layer.count - 1, layer.count] {
                let pieces = Mutex<[[UInt8]]>([])
                try await containerd.api.read(digest, from: Int64(offset)) { piece in
                    pieces.withLock { $0.append(piece) }
                }
                #expect(pieces.withLock { Array($0.joined()) } == Array(layer[offset...]), "from \(offset)")
                #expect(pieces.withLock { $0.allSatisfy { $0.count <= 1 << 20 } })
            }
        }
    }

    @Test func whoTakesMayEndTheReading() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample.large
            try await containerd.load(try containerd.image("a.tar", sample.oci))
            let taken = Mutex(0)
            let error = await #expect(throws: ContainerdError.self) {
                try await containerd.api.read("\(Digest(of: sample.layers[0]))") { piece throws(ContainerdError) in
                    taken.withLock { $0 += piece.count }
                    throw ContainerdError("test", "enough")
                }
            }
            #expect(error?.reason == "enough")
            #expect(taken.withLock { (1...1 << 20).contains($0) })
            let absent = await #expect(throws: ContainerdError.self) {
                try await containerd.api.read("\(Digest(of: "absent".utf8))") { _ in }
            }
            #expect(absent?.code == .notFound)
        }
    }

    @Test func everyDamagedBlobIsNamed() async throws {
        try await PrivateContainerd.with { containerd in
            let sample = Sample.large
            let image = try containerd.image("a.tar", sample.oci)
            try await containerd.load(image)
            #expect(try await containerd.store.damages(in: image.blobs) == [])

            let (flipped, gone) = (Digest(of: sample.layers[0]), Digest(of: sample.layers[1]))
            try overwrite(file(of: flipped, in: containerd), at: 3 << 20, [sample.layers[0][3 << 20] ^ 1])
            try #require(unlink(file(of: gone, in: containerd).string) == 0)
            let damages = try await containerd.store.damages(in: image.blobs)
            #expect(damages.count == 2)
            #expect(damages.contains("\(flipped) is damaged"))
            let words = try #require(damages.first { $0.hasPrefix("\(gone) cannot be read: ") }, "\(damages)")
            #expect(words.contains("not found"))
        }
    }

    @Test func whatIsRemovedTakesAlongWhatItAloneHad() async throws {
        try await PrivateContainerd.with { containerd in
            let one = try containerd.image("one.tar", Sample("one", layers: ["base", "a"]).oci)
            let two = try containerd.image("two.tar", Sample("two", layers: ["base", "b"]).oci)
            try await containerd.load(one)
            let before = try await containerd.store.holdings()
            try await containerd.load(two)
            _ = try await containerd.ctr("images", "tag", "docker.io/library/two:latest", "sha256:\(two.config.hex)")
            // One name is not there: somebody else was faster.
            try await containerd.store.remove(["docker.io/none:1", "docker.io/library/two:latest"])
            #expect(try await containerd.store.holdings().content.keys.contains(two.config), "it still has a name")
            try await containerd.store.remove(["sha256:\(two.config.hex)"])
            #expect(try await containerd.store.holdings() == before)
        }
    }

    @Test func theImagesOfContainersAreInUse() async throws {
        try await PrivateContainerd.with { containerd in
            let image = try containerd.image("a.tar", Sample("one").oci)
            try await containerd.load(image)
            #expect(try await containerd.store.used() == [])
            let made = try await containerd.ctr("containers", "create", image.names[0].description, "c1", "sh")
            try #require(made.status == 0, "\(made)")
            #expect(try await containerd.store.used() == [image.names[0].description])
        }
    }

    @Test func withoutContainerdNothingIsUnused() async throws {
        let store = ContainerdStore(on: "here", at: "/no/such.sock")
        let error = await #expect(throws: ImageError.self) { _ = try await store.used() }
        #expect(error?.description.hasPrefix("could not ask for the containers of here: ") == true)
        await #expect(throws: ImageError.self) { try await store.remove(["docker.io/library/one:1"]) }
    }
}
