import Hosts
import Images
import SystemPackage
import Testing

@Suite struct ArchiveTests {
    static let forms: [(String, @Sendable (Sample) -> [Tar.Member])] = [
        ("docker", { $0.docker }), ("docker25", { $0.docker25 }), ("oci", { $0.oci }),
        ("multi-platform", { $0.multiPlatform }),
    ]

    @Test(arguments: forms.map(\.0)) func everyKindOfArchiveIsUnderstood(kind: String) async throws {
        let sample = Sample(layers: ["base", "top", "base"])
        let form = try #require(Self.forms.first { $0.0 == kind }?.1)
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", form(sample))
            let image = try #require(try folder.shelf(archive).images().first)
            #expect(image.names.map(\.description) == [sample.name])
            #expect(image.config.hex == sample.configHex)
            #expect(image.platform == .linuxAMD64)
            #expect(image.archive == archive)
            let top = kind == "multi-platform" ? sample.platforms : sample.manifest
            #expect(image.target == Digest(of: top.utf8))
            var blobs = [top, sample.manifest, sample.config].map {
                Blob(digest: Digest(of: $0.utf8), size: Int64($0.utf8.count))
            }
            if blobs[0] == blobs[1] { blobs.removeFirst() }
            blobs += sample.layers[..<2].map { Blob(digest: Digest(of: $0), size: Int64($0.count)) }
            #expect(image.blobs == blobs)
        }
    }

    @Test func oldAndNewDockerArchivesOfOneImageHaveOneDigest() async throws {
        try await Folder.with { folder in
            let old = try folder.write("old.tar", Sample().docker)
            let new = try folder.write("new.tar", Sample().docker25)
            let images = try folder.shelf(old, new).images()
            #expect(images.count == 1)
            #expect(images.first?.archive == new)
        }
    }

    @Test(arguments: ["gzip", "zstd", "xz", "bzip2", "lz4"])
    func everyCompressionIsRead(tool: String) async throws {
        try await Folder.with { folder in
            let plain = try folder.write("a.tar", Sample().docker)
            guard try await pack(plain, with: tool, to: folder.path.appending("a")) else { return }
            // Its suffix says nothing: content decides.
            let packed = folder.path.appending("a")
            #expect(try folder.shelf(packed).images().map(\.target) == folder.shelf(plain).images().map(\.target))
        }
    }

    @Test func compressedLayersInADockerArchiveAreNamedByTheirOwnDigest() async throws {
        try await Folder.with { folder in
            let sample = Sample(layers: ["base"])
            let layer = try folder.write("layer", sample.layers[0])
            guard try await pack(layer, with: "gzip", to: folder.path.appending("layer.gz")) else { return }
            let packed = try contents(of: folder.path.appending("layer.gz"))
            let archive = try folder.write(
                "a.tar",
                [
                    .file("c.json", sample.config), .file("001.tar.gz", packed),
                    .file("manifest.json", sample.dockerList(config: "c.json", layers: ["001.tar.gz"])),
                ])
            let image = try #require(try folder.shelf(archive).images().first)
            #expect(image.blobs.last == Blob(digest: Digest(of: packed), size: Int64(packed.count)))
        }
    }

    @Test func shortNamesAreMadeWholeAndSeveralImagesAreFound() async throws {
        try await Folder.with { folder in
            let one = Sample("busybox:1")
            let two = Sample("team/b:2", layers: ["base", "other"])
            var members = one.docker.filter { $0.name != "manifest.json" }
            members += two.docker.filter { member in !members.contains { $0.name == member.name } }
            let lists = [one, two].map { sample in
                sample.docker.last.map { String(decoding: $0.bytes.dropFirst().dropLast(), as: UTF8.self) } ?? ""
            }
            members[members.count - 1] = .file("manifest.json", "[" + lists.joined(separator: ",") + "]")
            let images = try folder.shelf(try folder.write("a.tar", members)).images()
            #expect(
                images.flatMap(\.names).map(\.description) == ["docker.io/library/busybox:1", "docker.io/team/b:2"])
        }
    }

    @Test func dockersMediaTypesAreAsGoodAsOCIs() async throws {
        try await Folder.with { folder in
            var sample = Sample()
            sample.types = .docker
            for members in [sample.oci, sample.multiPlatform] {
                let image = try #require(try folder.shelf(try folder.write("a.tar", members)).images().first)
                #expect(image.names.map(\.description) == [sample.name])
                #expect(image.config.hex == sample.configHex)
            }
        }
    }

    @Test func artifactsBesideImagesArePassedOver() async throws {
        try await Folder.with { folder in
            let sample = Sample()
            let artifacts = Artifact.all.map { ($0, Array($0.manifest.utf8)) }
            let entries = artifacts.map { sample.descriptor(Sample.Types.oci.manifest, $0.1, $0.0.annotations) }
            let index = sample.index(of: sample.manifest, sample.types.manifest, others: entries)
            let members = sample.blobs + Artifact.all.flatMap(\.members) + [.file("index.json", index)]
            let images = try folder.shelf(try folder.write("a.tar", members)).images()
            #expect(images.map { $0.names.map(\.description) } == [[sample.name]])

            let none = #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#
            let alone = try folder.write("b.tar", Artifact.all.flatMap(\.members) + [.file("index.json", none)])
            let error = #expect(throws: ImageError.self) { try folder.shelf(alone).images() }
            #expect(error?.description.contains("lists no image, but an artifact (application/vnd.dev.cosign") == true)
        }
    }

    /// So many names that comparing each with each would take minutes.
    @Test func fiftyThousandNamesAreRead() async throws {
        try await Folder.with { folder in
            let sample = Sample(layers: [])
            let names = (0..<50_000).map { "\"a:\($0)\"" }
            let list = #"[{"Config":"c.json","Layers":[],"RepoTags":[\#((names + names).joined(separator: ","))]}]"#
            let archive = try folder.write("a.tar", [.file("c.json", sample.config), .file("manifest.json", list)])
            #expect(try folder.shelf(archive).images().map(\.names.count) == [50_000])
        }
    }

    @Test func oneNameOnSeveralPlatformsIsTheOneThatRunsHere() async throws {
        try await Folder.with { folder in
            let here = Sample()
            var there = Sample()
            there.architecture = "arm64"
            let type = "application/vnd.oci.image.manifest.v1+json"
            let entries = [there, here].map { sample in
                sample.descriptor(
                    type, Array(sample.manifest.utf8),
                    #","annotations":{"org.opencontainers.image.ref.name":"\#(here.name)"}"#)
            }
            let index = #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#
            let others = [there.blob(there.config), there.blob(there.manifest)]
            let archive = try folder.write("a.tar", here.blobs + others + [.file("index.json", index)])
            #expect(try folder.shelf(archive).images().map(\.config.hex) == [here.configHex])
        }
    }
}

/// False, and a word about it, where the tool is missing; under CI that fails.
func pack(_ file: FilePath, with tool: String, to packed: FilePath) async throws -> Bool {
    let command: Command = ["sh", "-c", #""$0" -c <"$1" >"$2""#, tool, file.string, packed.string]
    let outcome = try await LocalTransport().run(command)
    if outcome.status == 0 { return true }
    try missing("\(tool): \(outcome.errors)")
    return false
}
