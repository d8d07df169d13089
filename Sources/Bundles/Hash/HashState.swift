package import Images

/// The state of SHA-256 between two blocks, or, after the last one, the hash itself.
package struct HashState: Hashable, Sendable {
    /// As stored: its words, each from the highest byte on, as in the hash.
    package static let size = 32

    var words: SIMD8<UInt32>

    /// Nothing hashed yet: FIPS 180-4, 5.3.3.
    package static let start = HashState(
        words: [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ])

    init(words: SIMD8<UInt32>) { self.words = words }

    /// From `size` bytes.
    init(_ bytes: some Collection<UInt8>) {
        var words = SIMD8<UInt32>()
        for (index, byte) in bytes.enumerated() { words[index / 4] = words[index / 4] << 8 | UInt32(byte) }
        self.words = words
    }

    var bytes: [UInt8] {
        (0..<8).flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: words[word] >> $0) } }
    }

    /// What a state would be called were it a hash.
    package var digest: Digest { Digest(bytes) }
}
