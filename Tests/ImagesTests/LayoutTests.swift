import FoundationEssentials
import SystemPackage
import Testing

@testable import Images

/// An OCI image layout as a directory.
@Suite struct LayoutTests {
    static let forms: [(String, @Sendable (Sample) -> [Tar.Member])] = [
        ("oci", { $0.oci }), ("docker25", { $0.docker25 }), ("multi-platform", { $0.multiPlatform }),
    ]

    @Test(arguments: forms.map(\.0)) func aDirectoryIsReadAsTheArchiveOfIt(kind: String) async throws {
        let form = try #require(Self.forms.first { $0.0 == kind }?.1)
        let members = form(Sample(layers: ["base", "top", "base"]))
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", members)
            let layout = try folder.unpack(members, as: "layout")
            let image = try #require(try folder.shelf(layout).images().first)
            #expect(image.layout != nil && image.archive == layout)
            var same = try #require(try folder.shelf(archive).images().first)
            #expect(same.layout == nil && !same.names.isEmpty)
            (same.layout, same.archive) = (image.layout, layout)
            #expect(image == same)
        }
    }

    @Test func noLayerIsRead() async throws {
        try await Folder.with { folder in
            // A layer of 1 TiB, all of it a hole: to read it would take an hour.
            let size: Int64 = 1 << 40
            var sample = Sample(layers: ["base"])
            let layer = Digest(of: sample.layers[0]).hex
            let said = #""size":\#(sample.layers[0].count)"#
            sample.manifestEdit = { $0.replacing(said, with: #""size":\#(size)"#) }
            let layout = try folder.unpack(sample.oci, as: "layout")
            try grow(layout.appending("blobs").appending("sha256").appending(layer), to: size)
            #expect(try folder.shelf(layout).images().first?.blobs.last?.size == size)
        }
    }

    @Test func aBlobThatChangedIsSeenAtTheNextLook() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let layout = try folder.unpack(sample.oci, as: "layout")
            #expect(try folder.shelf(layout).images().count == 1)
            try FileManager.default.removeItem(
                atPath: layout.pushing(FilePath("blobs/sha256/" + Digest(of: sample.layers[1]).hex)).string)
            #expect(throws: ImageError.self) { try folder.shelf(layout).images() }
        }
    }

    /// In one file or cut over several; from the start, or where an earlier run ended.
    @Test(arguments: [1, 3], [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 7, 5 << 19] as [Int64])
    func blobsAreReadInPieces(parts: Int, offset: Int64) async throws {
        try await Folder.with { folder in
            let bytes = noise(5 << 19)
            var sample = Sample()
            sample.layers = [bytes]
            var members = sample.oci
            if parts > 1 {
                members = cut(members, Digest(of: bytes), at: [0, 1_000_001, 1 << 20])
            }
            let image = try #require(try folder.shelf(try folder.unpack(members, as: "layout")).images().first)
            let blob = try #require(image.blobs.last)
            var pieces: [BlobPiece] = []
            try image.source(with: []).read([WantedBlob(blob, from: offset)]) { pieces.append($0) }
            var end = offset
            for piece in pieces {
                #expect(piece.blob == blob && piece.offset == end && piece.bytes.count <= BlobPiece.largest)
                end += Int64(piece.bytes.count)
            }
            #expect(pieces.flatMap(\.bytes) == Array(bytes[Int(offset)...]))
        }
    }

    @Test func volumesThatLieSideBySideAreOneLayout() async throws {
        try await Folder.with { folder in
            let sample = Sample(layers: ["base", "top"])
            let members = cut(sample.oci, Digest(of: sample.layers[1]), at: [0, 700])
            // The first part, and the second, are not in one volume.
            let one = try folder.unpack(members.filter { !$0.name.hasSuffix(".1") }, as: "volume-1/images")
            let two = try folder.unpack(members.filter { $0.name.hasSuffix(".1") }, as: "volume-2/images")
            #expect(throws: ImageError.self) { try folder.shelf(one).images() }
            var shelf = folder.shelf()
            shelf.layouts = [try LayoutFolder(at: one, and: [two])]
            let image = try #require(try shelf.images().first)
            var bytes: [UInt8] = []
            try image.source(with: []).read([WantedBlob(image.source.layers[1].blob)]) { bytes += $0.bytes }
            #expect(bytes == sample.layers[1])
        }
    }

    @Test func whatTheSiteHasMayLack() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let layers = sample.layers.map { Blob(digest: Digest(of: $0), size: Int64($0.count)) }
            let members = sample.oci.filter { !$0.name.hasSuffix(layers[0].digest.hex) }
            let layout = try folder.unpack(members, as: "images")
            var shelf = folder.shelf()
            shelf.layouts = [try LayoutFolder(at: layout, omitted: [layers[0]])]
            let image = try #require(try shelf.images().first)
            #expect(image.source.layers.map(\.blob) == layers)
            let error = #expect(throws: ImageError.self) {
                try image.source(with: []).read([WantedBlob(layers[0])]) { _ in }
            }
            #expect(error?.reason == "it lacks 'blobs/sha256/\(layers[0].digest.hex)'")
            shelf.layouts = [try LayoutFolder(at: layout, omitted: [layers[1]])]
            #expect(throws: ImageError.self) { try shelf.images() }
        }
    }

    static let faults: [(String, String, @Sendable (FilePath, Sample) throws -> Void)] = [
        ("no blobs", "no OCI image layout", { path, _ in try remove(path, "blobs") }),
        ("no index", "it lacks 'index.json'", { path, _ in try remove(path, "index.json") }),
        ("a layer is gone", "it lacks 'blobs/sha256/", { path, sample in try remove(path, layer(sample)) }),
        ("a layer is cut", "should have", { path, sample in try grow(path.pushing(layer(sample)), to: 10) }),
        (
            "a damaged manifest", "is damaged: expected",
            { path, sample in
                try overwrite(path.pushing(FilePath("blobs/sha256/" + sample.hex(sample.manifest))), at: 20, [90])
            }
        ),
        (
            "a layer is a link", "is not a file",
            { path, sample in
                try remove(path, layer(sample))
                try FileManager.default.createSymbolicLink(
                    atPath: path.pushing(layer(sample)).string, withDestinationPath: "/etc/hostname")
            }
        ),
        (
            "the folder of blobs is a link", "no OCI image layout",
            { path, _ in
                try FileManager.default.moveItem(
                    atPath: path.pushing("blobs/sha256").string, toPath: path.appending("else").string)
                try FileManager.default.createSymbolicLink(
                    atPath: path.pushing("blobs/sha256").string, withDestinationPath: "../else")
            }
        ),
        (
            "a folder instead of a layer", "is not a file",
            { path, sample in
                try remove(path, layer(sample))
                try FileManager.default.createDirectory(
                    atPath: path.pushing(layer(sample)).string, withIntermediateDirectories: false)
            }
        ),
        (
            "another version", "version 2.0.0",
            { path, _ in
                try overwrite(path.appending("oci-layout"), at: 0, Array(#"{"imageLayoutVersion":"2.0.0"}"#.utf8))
            }
        ),
        ("an index of 5 MiB", "too many for JSON", { path, _ in try grow(path.appending("index.json"), to: 5 << 20) }),
    ]

    @Test(arguments: faults.map(\.0)) func aFaultIsSaidInOneLine(name: String) async throws {
        let (_, words, harm) = try #require(Self.faults.first { $0.0 == name })
        try await Folder.with { folder in
            let sample = Sample()
            let layout = try folder.unpack(sample.oci, as: "layout")
            try harm(layout, sample)
            let error = try #require(#expect(throws: ImageError.self) { try folder.shelf(layout).images() })
            #expect(error.description.hasPrefix("could not read \(layout)"))
            #expect(error.description.contains(words) && !error.description.contains("\n"), "\(error)")
        }
    }

    @Test func aBlobOfAnotherSizeIsNotHandedOver() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let layout = try folder.unpack(sample.oci, as: "layout")
            let image = try #require(try folder.shelf(layout).images().first)
            try grow(layout.pushing(Self.layer(sample)), to: 10)
            var taken: [Digest] = []
            let error = #expect(throws: ImageError.self) {
                try image.source(with: []).read(image.blobs.map { WantedBlob($0) }) { piece in
                    taken.append(piece.blob.digest)
                }
            }
            #expect(taken == image.blobs.dropLast().map(\.digest))
            #expect(error?.description.contains("has 10 bytes and should have") == true)
        }
    }

    private static func layer(_ sample: Sample) -> FilePath {
        FilePath("blobs/sha256/" + Digest(of: sample.layers[1]).hex)
    }

    private static func remove(_ path: FilePath, _ name: FilePath) throws {
        try FileManager.default.removeItem(atPath: path.pushing(name).string)
    }

    /// The blob's member as parts NAME.0, NAME.1 and so on, which begin where `starts` says.
    private func cut(_ members: [Tar.Member], _ digest: Digest, at starts: [Int]) -> [Tar.Member] {
        members.flatMap { member in
            guard member.name.hasSuffix(digest.hex) else { return [member] }
            return zip(starts, starts.dropFirst() + [member.bytes.count]).enumerated().map { part, range in
                .file("\(member.name).\(part)", Array(member.bytes[range.0..<range.1]))
            }
        }
    }

    private func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 42
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
    }
}
