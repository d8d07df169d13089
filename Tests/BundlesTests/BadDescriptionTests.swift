import Bundles
import FoundationEssentials
import Images
import SystemPackage
import Testing

@Suite struct BadDescriptionTests {
    private let digest = Digest(of: [1])

    private func refusal(_ text: some Sequence<UInt8>) -> BundleFault? {
        let fault = #expect(throws: BundleFault.self) { try BundleDescription(reading: Array(text)) }
        #expect(fault?.blame == .bundle)
        #expect(fault?.description.contains("\n") == false)
        return fault
    }

    private func description(
        files: [BundleDescription.File] = [], images: [BundleDescription.Image] = [],
        created: String = SampleBundle.date
    ) -> BundleDescription {
        BundleDescription(
            created: created, platform: .linuxAMD64, images: images, files: files,
            checkpoints: .init(size: 0, sha256: digest))
    }

    private func refusal(_ description: BundleDescription) throws -> String {
        try #require(refusal(try JSONEncoder().encode(description))).description
    }

    @Test(arguments: ["", "{", "[]", "null", "\u{0}\u{1}", "{\"format\":1}", "{\"format\":\"1\"}"])
    func nonsenseIsRefused(_ text: String) {
        #expect(refusal(text.utf8)?.description.hasPrefix("could not read bundle.json: ") == true)
    }

    @Test func everyTruncationIsRefused() throws {
        try Scratch.with { scratch in
            _ = try SampleBundle(in: scratch)
            let text = try scratch.read("bundle/bundle.json")
            // The last two are a brace and a line break, which may lack.
            for end in 0..<text.count - 1 { _ = refusal(text[..<end]) }
        }
    }

    @Test func anotherFormatIsToldApart() {
        #expect(
            refusal(#"{"format":2,"new":true}"#.utf8)?.description
                == "could not read bundle.json: it has format 2, and this program reads 1: take the jhub-install that "
                + "the bundle holds")
    }

    private static let paths: [String] = [
        "/etc/passwd", "../up", "a/../b", "a/./b", "./a", "", "a//b", "a/", ".hidden", "a/.hidden", "lost+found/a",
        "bundle.json", "bundle.json.sig", "bundle.checkpoints", "volume-3.json", "new\nline", "tab\ta", "sp ace",
        "umlaut-ü", "back\\slash", tooLong, tooDeep,
    ]
    private static let tooLong = String(repeating: "x", count: 256)
    private static let tooDeep = String(repeating: "x/", count: 600) + "x"

    @Test(arguments: paths)
    func pathsThatNoBundleHasAreRefused(_ path: String) throws {
        let text = try refusal(description(files: [.init(path: path, size: 0, sha256: digest)]))
        #expect(text.hasPrefix("could not read bundle.json: the path \""))
    }

    @Test func whatContradictsItselfIsRefused() throws {
        let (a, b) = ("charts/a", "charts/b")
        func file(_ path: String, _ size: Int64 = 0) -> BundleDescription.File {
            .init(path: path, size: size, sha256: digest)
        }
        #expect(try refusal(description(files: [file(a), file(a)])).contains("'charts/a' stands in it twice"))
        #expect(try refusal(description(files: [file(b), file(a)])).contains("not sorted"))
        #expect(try refusal(description(files: [file("charts"), file(a)])).contains("both a file and a folder"))
        #expect(try refusal(description(files: [file(a, -1)])).contains("cannot have -1 bytes"))
        #expect(try refusal(description(files: [file(a, .max)])).contains("cannot have"))
        #expect(try refusal(description(files: [file(a, 5 << 20)])).contains("its checkpoints have 0 bytes"))
        #expect(try refusal(description(created: "yesterday")).contains("'yesterday' is not a date"))
        #expect(try refusal(description(created: "2026-01-02T03:04:05+01:00")).contains("is not a date"))
        let names = ["docker.io/library/demo:1"]
        let images = [digest, Digest(of: [2])].map { digest in
            BundleDescription.Image(names: names, digest: digest, needs: [], blobs: [])
        }
        #expect(try refusal(description(images: images)).contains("'docker.io/library/demo:1' is the name of"))
        let huge = BundleDescription.Image(
            names: [], digest: digest, needs: [], blobs: [Blob(digest: digest, size: -1)])
        #expect(try refusal(description(images: [huge])).contains("cannot have -1 bytes"))
    }

    /// What a bundle says of itself does not move the cursor of who reads the message (found by scripts/fuzz).
    @Test func messagesCarryNoControlCharacters() throws {
        let message = try refusal(description(created: "\u{1b}[2J\u{0}\u{202e}"))
        #expect(message.contains("' [2J  ' is not a date"))
    }

    @Test func sumsOfSizesDoNotOverflow() throws {
        let files = (0..<400).map { BundleDescription.File(path: "a/\(1000 + $0)", size: 1 << 42, sha256: digest) }
        #expect(try refusal(description(files: files)).contains("its files have more than"))
    }

    @Test func whatIsTooLargeIsNotRead() throws {
        #expect(refusal([UInt8](repeating: 32, count: (64 << 20) + 1))?.description.contains("larger than") == true)
    }
}
