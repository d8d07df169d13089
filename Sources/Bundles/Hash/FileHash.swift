import Glibc
package import Images
package import SystemPackage

/// What the hash of a file passes through.
package struct FileHash: Hashable, Sendable {
    /// The state after each chunk but the last.
    package var checkpoints: [HashState] = []
    package var digest: Digest

    /// How much is read at a time: it stays in a core's own cache until it is hashed.
    static let step = 1 << 18

    /// Reads the file, which must have this size, once from front to back. It blocks.
    package init(of path: FilePath, size: Int64, _ moved: (Int) -> Void = { _ in }) throws(BundleFault) {
        var hash = ChainedHash()
        var checkpoints: [HashState] = []
        let state = try trying("read", path) {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
                try withUnsafeTemporaryAllocation(byteCount: Self.step, alignment: 64) { buffer in
                    var offset: Int64 = 0
                    while case let count = try file.read(into: buffer), count > 0 {
                        // Steps divide chunks, and a read of a file is only short at its end.
                        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                        offset += Int64(count)
                        moved(count)
                        if offset % Chunk.size == 0, offset < size { checkpoints.append(hash.state) }
                    }
                    guard offset == size else {
                        throw BundleFault("\(path) changed while it was read: nobody may write to it meanwhile")
                    }
                }
                return hash.finish()
            }
        }
        (self.checkpoints, digest) = (checkpoints, state.digest)
    }
}
