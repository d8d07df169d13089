import Testing

@testable import Containerd

@Suite struct PiecesTests {
    private let content = Containerd.Content(digest: "sha256:d", size: 10, labels: ["a": "b"])

    @Test func aWriteClaimsThenWritesThenCommits() throws {
        let pieces = Pieces(of: Containerd.Ingest("name", of: content, from: 4))
        let claim = pieces.message(.stat)
        #expect((claim.number(1), claim.number(3), claim.number(5)) == (0, 10, 4))
        #expect((claim.text(2), claim.text(4)) == ("name", "sha256:d"))
        var rest: [[UInt8]] = [[1, 2, 3], [4, 5, 6]]
        func next() throws(ContainerdError) -> WireMessage? {
            try pieces.next { () throws(ContainerdError) in rest.isEmpty ? nil : rest.removeFirst() }
        }
        let first = try #require(try next())
        #expect((first.number(1), first.number(5), Array(first.bytes(6))) == (1, 4, [1, 2, 3]))
        #expect(try #require(try next()).number(5) == 7)
        let commit = try #require(try next())
        #expect((commit.number(1), commit.number(5), commit.text(4)) == (2, 10, "sha256:d"))
        #expect(try commit.map(7) == ["a": "b"])
        #expect(try next() == nil)
    }
}
