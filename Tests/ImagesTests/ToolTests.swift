import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// What the tools of the trade write, each run here on a tiny image. podman and buildah write with skopeo's library.
/// docker cannot write without its daemon; so what `docker save` of 20.10.24 wrote is a fixture, and the form of 25
/// and later is composed (`Sample.docker25`).
@Suite(.serialized) struct ToolTests {
    private let sample = Sample("docker.io/library/demo:1", layers: ["base", "top", "base"])

    @Test(arguments: ["docker-archive", "oci-archive"]) func whatSkopeoWritesIsRead(form: String) async throws {
        try await Folder.with { folder in
            let layout = try folder.unpack(sample.oci, as: "layout")
            let file = folder.path.appending("a.tar")
            let target = "\(form):\(file):docker.io/library/demo:1"
            guard try await skopeo("oci:\(layout)", target) else { return }
            let image = try #require(try folder.shelf(file).images().first)
            #expect(image.names.map(\.description) == [sample.name])
            #expect(image.source.layers.map(\.difference.description) == sample.differences)
        }
    }

    @Test(arguments: [
        ("gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
    ])
    func layersThatSkopeoCompressedAreRead(tool: String, type: String) async throws {
        try await Folder.with { folder in
            let layout = try folder.unpack(sample.oci, as: "layout")
            let packed = folder.path.appending("packed")
            guard
                try await skopeo(
                    "--dest-compress-format", tool, "--dest-compress", "oci:\(layout)", "oci:\(packed):demo:1")
            else { return }
            let image = try #require(try folder.shelf(packed).images().first)
            #expect(image.source.layers.map(\.mediaType) == [type, type, type])
            #expect(image.source.layers.map(\.difference.description) == sample.differences)
            // The same directory as an archive.
            let archive = folder.path.appending("a.tar.gz")
            try await run(["tar", "-C", packed.string, "-czf", archive.string, "."])
            #expect(try folder.shelf(archive).images().first?.target == image.target)
        }
    }

    @Test func dockersMediaTypesAreRead() async throws {
        try await Folder.with { folder in
            let layout = try folder.unpack(sample.oci, as: "layout")
            let file = folder.path.appending("a.tar")
            guard try await skopeo("--format", "v2s2", "oci:\(layout)", "oci-archive:\(file):demo:1") else { return }
            #expect(try folder.shelf(file).images().first?.names.map(\.description) == [sample.name])
        }
    }

    @Test func whatUmociWritesIsRead() async throws {
        try await Folder.with { folder in
            let layout = folder.path.appending("layout").string
            _ = try folder.write("hello", Array("hello\n".utf8))
            guard try await run(["umoci", "init", "--layout", layout], orMissing: "umoci") else { return }
            let image = "\(layout):latest"
            try await run(["umoci", "new", "--image", image])
            try await run(["umoci", "config", "--image", image, "--os", "linux", "--architecture", "amd64"])
            try await run(
                ["umoci", "insert", "--rootless", "--image", image, folder.path.appending("hello").string, "/hello"])
            let archive = folder.path.appending("a.tar")
            try await run(["tar", "-C", layout, "-cf", archive.string, "."])
            let images = try folder.shelf(FilePath(layout), archive).images()
            // umoci's names are tags alone, which name no image.
            #expect(images.map(\.names) == [[], []])
            #expect(images.first?.source.layers.count == 1)
            #expect(Set(images.map(\.target)).count == 1)
        }
    }

    /// containerd's export of two images, one of which was imported with an index of platforms.
    @Test func whatCtrExportsIsRead() async throws {
        try await PrivateContainerd.with { containerd in
            let folder = containerd.folder
            let one = try folder.write("one.tar", sample.multiPlatform)
            let two = try folder.write("two.tar", Sample("docker.io/team/two:2", layers: ["base"]).docker)
            for archive in [one, two] {
                #expect(try await containerd.ctr("images", "import", archive.string).status == 0)
            }
            let file = folder.path.appending("a.tar")
            let exported = try await containerd.ctr(
                "images", "export", "--platform", "linux/amd64", file.string, sample.name, "docker.io/team/two:2")
            #expect(exported.status == 0, "\(exported)")
            let images = try folder.shelf(file).images()
            #expect(images.map { $0.names.map(\.description) } == [[sample.name], ["docker.io/team/two:2"]])
            #expect(images.map(\.config.hex) == [sample.configHex, Sample("", layers: ["base"]).configHex])
        }
    }

    /// By Docker 20.10.24: two images, one with two names, layers that stand already as links to them.
    @Test func whatDockerSavedIsRead() async throws {
        try await Folder.with { folder in
            let file = FilePath(#filePath).removingLastComponent().pushing("Fixtures/docker-20.10.24-save.tar.xz")
            let images = try folder.shelf(file).images()
            #expect(
                images.map { $0.names.map(\.description) } == [
                    ["docker.io/library/demo:1", "docker.io/library/demo:also"], ["registry.example:5000/team/other:2"],
                ])
            // As `docker images --no-trunc` showed them.
            #expect(
                images.map(\.config.hex) == [
                    "9e82cfff559ac28e7c6057ca312572fd376bd7a01c91208cdb9921341f8c4040",
                    "fbbfd8eccfa4dda17fdc7b19d04798fa24f25418709f53d05f2bba436fdb33ca",
                ])
            #expect(images.map(\.source.layers.count) == [3, 1])
            // The bytes behind a link are those of the layer.
            for image in images {
                var hashes: [Blob: [UInt8]] = [:]
                try image.source(with: []).read(image.source.layers.map { WantedBlob($0.blob) }) { piece in
                    hashes[piece.blob, default: []] += piece.bytes
                }
                #expect(hashes.allSatisfy { $0.key.digest == Digest(of: $0.value) } && !hashes.isEmpty)
            }
        }
    }

    private func skopeo(_ arguments: String...) async throws -> Bool {
        try await run(["skopeo", "--insecure-policy", "copy", "--quiet"] + arguments, orMissing: "skopeo")
    }

    /// False, and a word about it, where the tool is missing; under CI that fails.
    @discardableResult private func run(_ argv: [String], orMissing tool: String = "") async throws -> Bool {
        if !tool.isEmpty, try await LocalTransport().run(["sh", "-c", "command -v \(tool)"]).status != 0 {
            try missing(tool)
            return false
        }
        let outcome = try await LocalTransport().run(Command(argv))
        try #require(outcome.status == 0, "\(argv): \(outcome.errors)")
        return true
    }
}
