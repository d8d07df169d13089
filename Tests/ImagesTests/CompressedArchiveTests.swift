import Images
import SystemPackage
import Testing

/// What is wrong with how an archive is compressed. That each compression is read, `ArchiveTests` shows.
@Suite struct CompressedArchiveTests {
    static let tools = ["gzip", "zstd", "xz", "bzip2", "lz4"]

    @Test(arguments: tools) func aCutCompressedArchiveIsNoticed(tool: String) async throws {
        try await Folder.with { folder in
            let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255) }
            let plain = try folder.write("a.tar", [.file("noise", noise)] + Sample().docker)
            let packed = folder.path.appending("b.tar")
            guard try await pack(plain, with: tool, to: packed) else { return }
            let cut = try folder.write("cut.tar", Array(try contents(of: packed).dropLast(5000)))
            let error = #expect(throws: ImageError.self) { try folder.shelf(cut).images() }
            #expect(error?.description.contains("\n") == false)
        }
    }

    @Test func aManifestThatIsABombIsNotInflated() async throws {
        try await Folder.with { folder in
            let spaces = [UInt8](repeating: 32, count: 40 << 20)
            let plain = try folder.write("a.tar", Sample().docker.dropLast() + [.file("manifest.json", spaces)])
            let packed = folder.path.appending("bomb.tar.gz")
            guard try await pack(plain, with: "gzip", to: packed) else { return }
            let error = #expect(throws: ImageError.self) { try folder.shelf(packed).images() }
            #expect(error?.description.contains("more than 4 MiB is refused") == true)
        }
    }

    /// 3 GiB in some hundred bytes: refused by what its header claims, before any of it is inflated.
    @Test(arguments: tools) func aBombIsRefusedByItsHeader(tool: String) async throws {
        try await Folder.with { folder in
            let claim = Tar.header(Tar.Member(name: "layer", claimedSize: 3 << 30))
            let plain = try folder.write("a.tar", claim + [UInt8](repeating: 0, count: 1 << 16))
            let packed = folder.path.appending("bomb.tar")
            guard try await pack(plain, with: tool, to: packed) else { return }
            let error = #expect(throws: ImageError.self) { try folder.shelf(packed).images() }
            #expect(error?.description.contains("would inflate to more than 2147") == true)
            #expect(error?.description.contains("carry it uncompressed") == true)
        }
    }

    /// What shrinks to a thousandth is no bomb while it is small.
    @Test func aLayerOfZerosGoesIn() async throws {
        try await Folder.with { folder in
            var sample = Sample()
            sample.layers = [[UInt8](repeating: 0, count: 40 << 20)]
            let plain = try folder.write("a.tar", sample.docker)
            let packed = folder.path.appending("a.tar.gz")
            guard try await pack(plain, with: "gzip", to: packed) else { return }
            #expect(try folder.shelf(packed).images().map(\.target) == folder.shelf(plain).images().map(\.target))
        }
    }

    @Test func anArchiveCompressedTwiceIsRefused() async throws {
        try await Folder.with { folder in
            var file = try folder.write("a.tar", Sample().docker)
            for number in 0..<2 {
                let packed = folder.path.appending("\(number)")
                guard try await pack(file, with: "gzip", to: packed) else { return }
                file = packed
            }
            let error = #expect(throws: ImageError.self) { try folder.shelf(file).images() }
            #expect(error?.description.contains("compressed more than once") == true)
        }
    }

    /// Noticed, or without effect: never another image.
    @Test(arguments: tools) func aFlippedBitMakesNoOtherImage(tool: String) async throws {
        try await Folder.with { folder in
            let plain = try folder.write("a.tar", Sample().docker)
            let packed = folder.path.appending("a")
            guard try await pack(plain, with: tool, to: packed) else { return }
            let good = try contents(of: packed)
            let configs = try folder.shelf(plain).images().map(\.config)
            var noticed = 0
            for place in stride(from: 0, to: good.count, by: 17) {
                var bytes = good
                bytes[place] ^= 1 << UInt8(place % 8)
                let bad = try folder.write("bad", bytes)
                do {
                    #expect(try folder.shelf(bad).images().map(\.config) == configs)
                } catch let error as ImageError {
                    noticed += 1
                    #expect(!error.description.contains("\n"))
                }
            }
            #expect(noticed > 0)
        }
    }
}
