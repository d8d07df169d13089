import SystemPackage
import Testing

@testable import Images

/// From transcripts of ctr 1.6.20.
@Suite struct HoldingsTests {
    private func transcript(_ name: String) throws -> String {
        let folder = FilePath(#filePath).removingLastComponent().appending("Fixtures")
        return String(decoding: try contents(of: folder.appending(name)), as: UTF8.self)
    }

    @Test func aStoreWithAHoleIsUnderstood() throws {
        let holdings = try Holdings(
            images: transcript("images-ls.txt"), check: transcript("images-check.txt"),
            content: transcript("content-ls.txt"))
        let index = try Digest(parsing: "sha256:61df7d31ffcc7b7e8a02fe870113c887dfeb20145de2ee30b6a83f0b69b49578")
        let whole = try #require(holdings.records["docker.io/demo/a:1"])
        #expect(whole.digest == index && whole.isComplete && whole.isUnpacked && whole.isPinned)
        #expect(whole.labels == ["io.cri-containerd.image=managed", "io.cri-containerd.pinned=pinned"])
        #expect(holdings.records["docker.io/demo/a@\(index)"]?.isPinned == false)
        let broken = try #require(holdings.records["docker.io/demo/b:2"])
        #expect(!broken.isComplete && !broken.isUnpacked && broken.labels.isEmpty)
        #expect(holdings.records.count == 5)
        #expect(holdings.content.contains(index) && !holdings.content.contains(broken.digest))
    }

    @Test func anEmptyStoreHoldsNothing() throws {
        let header = "REF TYPE DIGEST SIZE PLATFORMS LABELS \n"
        #expect(try Holdings(images: header, check: "", content: "") == Holdings())
    }

    @Test(arguments: [
        ("", "", ""), ("hello\n", "", ""), ("REF TYPE DIGEST SIZE PLATFORMS LABELS \na b c d e f\n", "", ""),
        ("REF TYPE DIGEST SIZE PLATFORMS LABELS \n", "REF TYPE\na b c\n", ""),
        ("REF TYPE DIGEST SIZE PLATFORMS LABELS \n", "", "sha256:12\n"),
    ])
    func whatCannotBeReadIsNotGuessed(images: String, check: String, content: String) {
        let error = #expect(throws: ImageError.self) {
            try Holdings(images: images, check: check, content: content)
        }
        #expect(error?.description.hasPrefix("could not read the answer of ctr ") == true)
    }
}
