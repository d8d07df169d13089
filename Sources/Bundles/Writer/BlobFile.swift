import Glibc
package import Images
import Synchronization
import SystemPackage

/// A blob that is being written: it gets its name when its digest is proved.
package final class BlobFile: Sendable {
    package let blob: Blob
    private let folder: FilePath
    private let temporary: FilePath
    private let file: FileDescriptor
    private let state: Mutex<State>

    struct State: Sendable {
        var hash = ChainedHash()
        var offset: Int64 = 0
    }

    /// Hashes what an earlier run left.
    init(_ blob: Blob, in folder: FilePath) throws(BundleFault) {
        (self.blob, self.folder) = (blob, folder)
        // Known by the dot to be no part of a bundle.
        let temporary = folder.appending(".\(blob.digest.hex).part")
        self.temporary = temporary
        let file = try trying("write", temporary) {
            try FileDescriptor.open(
                temporary, .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        }
        self.file = file
        state = Mutex(State())
        do {
            _ = try trying("lock", temporary) { try system(flock(file.rawValue, LOCK_EX | LOCK_NB)) }
            let left = try Self.left(in: file, temporary, of: blob)
            state.withLock { $0 = left }
        } catch {
            try? file.close()
            throw error
        }
    }

    deinit { try? file.close() }

    /// How many of its bytes stand there: what follows goes behind them.
    package var offset: Int64 { state.withLock { $0.offset } }

    package func append(_ bytes: some Sequence<UInt8> & Sendable) throws(BundleFault) {
        let bytes = Array(bytes)
        let fault: BundleFault? = state.withLock { state in
            guard state.offset + Int64(bytes.count) <= blob.size else {
                return BundleFault("\(blob.digest) has more than its \(blob.size) bytes")
            }
            do throws(BundleFault) {
                try trying("write", temporary) { _ = try file.writeAll(toAbsoluteOffset: state.offset, bytes) }
            } catch {
                return error
            }
            bytes.withUnsafeBytes { state.hash.update($0) }
            state.offset += Int64(bytes.count)
            return nil
        }
        if let fault { throw fault }
    }

    /// Forgets what stands there.
    package func restart() throws(BundleFault) {
        try trying("write", temporary) { try file.resize(to: 0) }
        state.withLock { $0 = State() }
    }

    /// Proves the digest, puts the blob in place and lets no power cut take it back. What is wrong is thrown away.
    package func finish() throws(BundleFault) {
        let (found, offset) = state.withLock { ($0.hash.finish().digest, $0.offset) }
        guard offset == blob.size else {
            throw BundleFault("\(blob.digest) ends \(blob.size - offset) bytes early: get the rest of it")
        }
        guard found == blob.digest else {
            try restart()
            throw BundleFault("what came as \(blob.digest) has the digest \(found): get it again")
        }
        try trying("write", temporary) {
            try system(fsync(file.rawValue))
            try system(rename(temporary.string, folder.appending(blob.digest.hex).string))
            try SmallFile.synchronize(folder)
        }
    }

    private static func left(in file: FileDescriptor, _ path: FilePath, of blob: Blob) throws(BundleFault) -> State {
        try trying("read", path) {
            var state = State()
            guard try file.seek(offset: 0, from: .end) <= blob.size else {
                try file.resize(to: 0)
                return state
            }
            try withUnsafeTemporaryAllocation(byteCount: FileHash.step, alignment: 64) { buffer in
                while case let count = try file.read(fromAbsoluteOffset: state.offset, into: buffer), count > 0 {
                    state.hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    state.offset += Int64(count)
                }
            }
            return state
        }
    }
}
