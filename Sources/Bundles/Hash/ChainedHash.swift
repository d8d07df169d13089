import CCrypto

/// SHA-256 whose state can be seen, and from whose state one can go on. swift-crypto hides it.
struct ChainedHash {
    private var context = SHA256_CTX()

    init() { self.init(from: .start, after: 0) }

    /// Goes on where `count` bytes, a multiple of 64, had led to this state.
    init(from state: HashState, after count: Int64) {
        SHA256_Init(&context)
        let words = state.words
        context.h = (words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7])
        // The length in bits, in two halves.
        let bits = UInt64(count) << 3
        (context.Nl, context.Nh) = (UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { SHA256_Update(&context, bytes.baseAddress, bytes.count) }

    /// After a multiple of 64 bytes; the bytes of an unfinished block are not part of it.
    var state: HashState {
        let h = context.h
        return HashState(words: [h.0, h.1, h.2, h.3, h.4, h.5, h.6, h.7])
    }

    /// The hash of all; nothing may follow.
    consuming func finish() -> HashState {
        var context = context
        var bytes = [UInt8](repeating: 0, count: HashState.size)
        SHA256_Final(&bytes, &context)
        return HashState(bytes)
    }
}
