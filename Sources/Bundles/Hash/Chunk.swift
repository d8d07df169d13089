/// How a file is cut for checking.
package enum Chunk {
    /// In bytes; a multiple of SHA-256's block of 64.
    package static let size: Int64 = 4 << 20

    /// An empty file has one, which is empty.
    package static func count(of size: Int64) -> Int { max(1, Int((size + Self.size - 1) / Self.size)) }

    package static func range(_ index: Int, of size: Int64) -> Range<Int64> {
        let start = Int64(index) * Self.size
        return start..<min(start + Self.size, size)
    }
}
