import Hosts
import Images
import SystemPackage
import Testing

@Suite struct BadArchiveTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// What the message has to say.
        var words: [String]
        var bytes: @Sendable () -> [UInt8]

        init(_ name: String, _ words: String..., bytes: @escaping @Sendable () -> [UInt8]) {
            (testDescription, self.words, self.bytes) = (name, words, bytes)
        }

        init(_ name: String, _ words: String..., members: @escaping @Sendable () -> [Tar.Member]) {
            (testDescription, self.words) = (name, words)
            bytes = { Tar(members: members()).bytes }
        }

        /// That reading it fails with one line that says so.
        func isSaid() async throws {
            try await Folder.with { folder in
                let archive = try folder.write("bad.tar", bytes())
                let error = try #require(#expect(throws: ImageError.self) { try folder.shelf(archive).images() })
                #expect(!error.description.contains { $0.isNewline || $0 == "\u{1b}" })
                #expect(error.description.utf8.count < 600)
                #expect(error.description.contains(archive.string))
                for words in words { #expect(error.description.contains(words), "\(error)") }
            }
        }
    }

    static let faults: [Fault] = [
        Fault("empty", "it is empty", bytes: { [] }),
        Fault("no archive", "Unrecognized archive format", bytes: { Array("hello, world\n".utf8) }),
        Fault("noise", "could not read", bytes: { (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7919) } }),
        Fault("cut in a layer", "cut off", bytes: { Array(Tar(members: Sample().oci).bytes.dropLast(3000)) }),
        Fault("cut in the last layer", "Truncated tar archive") {
            Array(Tar(members: Array(Sample().docker.reversed())).bytes.dropLast(2000))
        },
        Fault("cut in a header", "could not read", bytes: { Array(Tar(members: Sample().docker).bytes.prefix(700)) }),
        Fault("bad header", "Damaged tar archive") {
            var bytes = Tar(members: Sample().docker).bytes
            bytes[1024 + 3] ^= 1
            return bytes
        },
        Fault("damaged config of Docker", "is damaged: expected", "found") {
            Sample().docker.map { $0.name.count > 64 && $0.name.hasSuffix(".json") ? flipped($0, at: 20) : $0 }
        },
        Fault("damaged manifest", "is damaged: expected", "found") {
            let sample = Sample()
            return sample.oci.map { $0.name.contains(sample.hex(sample.manifest)) ? flipped($0, at: 100) : $0 }
        },
        Fault("outside by dots", "out of the archive") { [.file("../x", "1")] + Sample().docker },
        Fault("outside by dots within", "out of the archive") { [.file("a/../../x", "1")] + Sample().docker },
        Fault("absolute", "out of the archive") { [.file("/etc/passwd", "1")] + Sample().docker },
        Fault("link outside", "out of the archive") { [.link("a/layer.tar", to: "../../etc/shadow")] },
        Fault("absolute link", "out of the archive") { [.link("a/layer.tar", to: "/etc/shadow")] },
        Fault("hard link outside", "out of the archive") { [.hardlink("a", to: "../b")] },
        Fault("device", "neither a file") { [Tar.Member(name: "dev", type: "3")] + Sample().docker },
        Fault("pipe", "neither a file") { [Tar.Member(name: "pipe", type: "6")] + Sample().docker },
        Fault("link to a folder", "it lacks 'dir'") {
            let sample = Sample(layers: ["base"])
            return [
                .file("c.json", sample.config), Tar.Member(name: "dir", type: "5"), .link("a", to: "dir"),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["a"])),
            ]
        },
        Fault("hard links in a ring", "lead round") {
            let sample = Sample(layers: ["base"])
            return [
                .file("c.json", sample.config), .hardlink("a", to: "b"), .hardlink("b", to: "a"),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["a"])),
            ]
        },
        Fault("a file and a link of one name", "it holds 'c.json' twice") {
            let sample = Sample(layers: [])
            return [.file("c.json", sample.config), .link("c.json", to: "manifest.json")]
        },
        Fault("a name that is no UTF-8", "is not UTF-8") {
            let bytes = Tar(members: [.file("aXb", "1")] + Sample().docker).bytes
            return Tar.mended(Array("a".utf8) + [0xff] + bytes.dropFirst(2))
        },
        Fault("a name that moves the cursor", "member ' [2J/../x'") {
            [.file("\u{1b}[2J/../x", "1")] + Sample().docker
        },
        Fault("a name of 600 letters", "its name is too long") {
            let long = Tar.Member(name: "././@LongLink", type: "L", bytes: [UInt8](repeating: 120, count: 600) + [0])
            return [long, .file("short", "1")] + Sample().docker
        },
        Fault("too many members", "more than 100000 members", bytes: { Tar.empties(100_001) }),
        Fault("a member with holes", "stored with holes") { sparse },
        Fault("links in a ring", "lead round") {
            let sample = Sample(layers: ["base"])
            return [
                .file("c.json", sample.config), .link("a", to: "b"), .link("b", to: "a"),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["a"])),
            ]
        },
        Fault("link to nothing", "it lacks 'gone'") {
            let sample = Sample(layers: ["base"])
            return [
                .file("c.json", sample.config), .link("a", to: "gone"),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["a"])),
            ]
        },
        Fault("a member twice", "twice") { Sample().docker + [.file("manifest.json", "[]")] },
        Fault("no manifest.json", "neither an index.json nor a manifest.json") { Array(Sample().docker.dropLast()) },
        Fault("manifest.json no JSON", "'manifest.json' is not what it should be") {
            Sample().docker.dropLast() + [.file("manifest.json", "hello")]
        },
        Fault("manifest.json of another kind", "'manifest.json' is not what it should be") {
            Sample().docker.dropLast() + [.file("manifest.json", #"{"a":1}"#)]
        },
        Fault("manifest.json lists nothing", "lists no image") {
            Sample().docker.dropLast() + [.file("manifest.json", "[]")]
        },
        Fault("manifest.json too deep", "'manifest.json' is not what it should be") {
            Sample().docker.dropLast() + [.file("manifest.json", String(repeating: "[", count: 1_000_000))]
        },
        Fault("manifest.json leads outside", "outside of the archive") {
            let sample = Sample(layers: ["base"])
            return [
                .file("c.json", sample.config),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["../../etc/shadow"])),
            ]
        },
        Fault("manifest.json huge", "more than 4 MiB is refused") {
            [Tar.Member(name: "manifest.json", claimedSize: 17 << 20)] + [.file("x", zeros(18 << 20))]
        },
        Fault("missing layer of Docker", "it lacks") { Sample().docker.filter { !$0.name.hasSuffix("layer.tar") } },
        Fault("missing layer of OCI", "it lacks 'blobs/sha256/") {
            let sample = Sample()
            return sample.oci.filter { $0.name != "blobs/sha256/" + Digest(of: sample.layers[1]).hex }
        },
        Fault("too few layers", "lists 1 layers") {
            var sample = Sample()
            let config = sample.config
            sample.layers.removeLast()
            return [
                .file("c.json", config), .file("a", sample.layers[0]),
                .file("manifest.json", sample.dockerList(config: "c.json", layers: ["a"])),
            ]
        },
        Fault("another platform in Docker's form", "linux/arm64") { foreign.docker },
        Fault("another platform in OCI's form", "linux/arm64", "demo:1") { foreign.oci },
        Fault("a wrong name", "repository has no upper-case letters") { Sample("docker.io/library/Demo:1").docker },
        Fault("a layer of another size", "should have") {
            let sample = Sample()
            return sample.oci.map {
                $0.name.contains(Digest(of: sample.layers[0]).hex) ? .file($0.name, $0.bytes + [0]) : $0
            }
        },
    ]

    @Test(arguments: faults) func aFaultIsSaidInOneLine(fault: Fault) async throws { try await fault.isSaid() }

    @Test func allFaultsAreSaidAtOnce() async throws {
        try await Folder.with { folder in
            let one = try folder.write("one.tar", [UInt8]("no archive".utf8))
            let good = try folder.write("good.tar", Sample("a").docker)
            let two = try folder.write("two.tar", [UInt8]())
            let error = try #require(#expect(throws: ImageError.self) { try folder.shelf(one, good, two).images() })
            #expect(error.description.contains("could not read \(one): "))
            #expect(error.description.contains("; could not read \(two): "))
            #expect(!error.description.contains("\(good)") && !error.description.contains("\n"))
        }
    }

    @Test func allContradictionsAreSaidAtOnce() async throws {
        try await Folder.with { folder in
            var archives: [FilePath] = []
            for (name, layers) in [("a", ["1"]), ("b", ["1"]), ("a", ["2"]), ("b", ["2"])] {
                archives.append(try folder.write("\(archives.count).tar", Sample(name, layers: layers).docker))
            }
            let shelf = ImageShelf(archives: archives, index: folder.path.appending("index.json"))
            let error = try #require(#expect(throws: ImageError.self) { try shelf.images() })
            #expect(error.isConflict)
            for name in ["library/a", "library/b"] {
                #expect(error.description.contains("choose the image docker.io/\(name)"))
            }
        }
    }

    @Test func anArchiveThatIsNotThereIsNamed() async throws {
        try await Folder.with { folder in
            let error = #expect(throws: ImageError.self) { try folder.shelf(folder.path.appending("no.tar")).images() }
            #expect(error?.description.contains("no.tar: No such file or directory") == true)
            #expect(throws: ImageError.self) { try folder.shelf(folder.path).images() }
        }
    }

    @Test func twoContentsUnderOneNameAreRefusedAndBothArchivesNamed() async throws {
        try await Folder.with { folder in
            let one = try folder.write("one.tar", Sample().docker)
            let two = try folder.write("two.tar", Sample(layers: ["other"]).oci)
            let error = #expect(throws: ImageError.self) { try folder.shelf(one, two).images() }
            #expect(error?.description.contains("one.tar and") == true)
            #expect(error?.description.contains("two.tar give it different contents") == true)
        }
    }

    @Test func tooMuchJSONIsRefused() async throws {
        try await Folder.with { folder in
            let big = [UInt8](ascii: "[") + [UInt8](repeating: 32, count: 4_000_000)
            let archive = try folder.write("a.tar", (0..<9).map { .file("\($0).json", big) })
            let error = #expect(throws: ImageError.self) { try folder.shelf(archive).images() }
            #expect(error?.description.contains("more than 32 MiB of JSON") == true)
        }
    }
}

private var foreign: Sample {
    var sample = Sample()
    sample.architecture = "arm64"
    return sample
}

/// GNU tar's old form: 512 bytes are there of 1 TiB.
private var sparse: [UInt8] {
    var header = Tar.header(Tar.Member(name: "holes", type: "S", claimedSize: 512))
    func put(_ text: String, at offset: Int) {
        header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    put("ustar  \u{0}", at: 257)
    put("00000000000\u{0}00000001000\u{0}", at: 386)
    put("20000000000000", at: 483)
    return Tar.mended(header) + zeros(512) + Tar(members: Sample().docker).bytes
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

private func flipped(_ member: Tar.Member, at index: Int) -> Tar.Member {
    var member = member
    member.bytes[index] ^= 1
    return member
}

extension [UInt8] {
    init(ascii text: String) { self = Array(text.utf8) }
}
