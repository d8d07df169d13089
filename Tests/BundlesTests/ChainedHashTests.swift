import Crypto
import Images
import SystemPackage
import Testing

@testable import Bundles

@Suite struct ChainedHashTests {
    /// Around a block, around the padding's own block, around one chunk and two.
    private static let sizes =
        Array(0...130) + [-65, -64, -63, -1, 0, 1, 55, 56, 63, 64, 65].flatMap { [(4 << 20) + $0, (8 << 20) + $0] }

    @Test func agreesWithSwiftCrypto() throws {
        try Scratch.with { scratch in
            let all = noise((8 << 20) + 64)
            for size in Self.sizes {
                let bytes = Array(all[..<min(size, all.count)])
                let hash = try FileHash(of: try scratch.write("file", bytes), size: Int64(bytes.count))
                #expect(hash.digest == Digest(SHA256.hash(data: bytes)), "\(size) bytes")
                #expect(hash.checkpoints.count == Chunk.count(of: Int64(bytes.count)) - 1)
            }
        }
    }

    @Test func goesOnFromAnyBlock() {
        let bytes = noise(1000)
        let expected = Digest(SHA256.hash(data: bytes))
        for cut in stride(from: 0, through: 960, by: 64) {
            var first = ChainedHash()
            bytes[..<cut].withUnsafeBytes { first.update($0) }
            let state = HashState(first.state.bytes)
            #expect(state == first.state)
            var second = ChainedHash(from: state, after: Int64(cut))
            bytes[cut...].withUnsafeBytes { second.update($0) }
            #expect(second.finish().digest == expected, "cut at \(cut)")
        }
    }

    /// The length is 64 bits wide, in two words: more than 512 MB fills the second.
    @Test func countsBeyondTheFirstWord() {
        let block = [UInt8](repeating: 7, count: 1 << 20)
        var chained = ChainedHash()
        var whole = SHA256()
        for _ in 0..<520 {
            block.withUnsafeBytes { chained.update($0) }
            whole.update(data: block)
        }
        var rest = ChainedHash(from: chained.state, after: 520 << 20)
        block.withUnsafeBytes { rest.update($0) }
        whole.update(data: block)
        #expect(rest.finish().digest == Digest(whole.finalize()))
    }

    @Test func nothingHashedIsTheStartOfTheStandard() {
        #expect(ChainedHash().state == .start)
    }
}
