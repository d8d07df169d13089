import Images
import SystemPackage

/// A run of a file's bytes that can be checked apart from all others: it has to lead from one state of SHA-256 to
/// another.
struct Span: Hashable, Sendable {
    var file: BundleDescription.File
    /// Its number in the file.
    var chunk: Int
    var bytes: Range<Int64>
    var before: HashState
    /// Nil for the last one, which has to give the file's digest.
    var after: HashState?

    func proves(_ hash: ChainedHash) -> Bool {
        if let after { hash.state == after } else { hash.finish().digest == file.sha256 }
    }
}

/// All spans of a bundle, in the order of its files: its chunks, or, without checkpoints, its files.
struct Spans: Sendable {
    private let files: [BundleDescription.File]
    private let checkpoints: [UInt8]?
    /// For each file the number of its first span; and the number of all.
    private let firsts: [Int]

    init(_ description: BundleDescription, checkpoints: [UInt8]?) {
        files = description.files
        self.checkpoints = checkpoints
        var firsts = [0]
        for file in files {
            firsts.append(firsts[firsts.count - 1] + (checkpoints == nil ? 1 : Chunk.count(of: file.size)))
        }
        self.firsts = firsts
    }

    var areChunks: Bool { checkpoints != nil }
    var count: Int { firsts[files.count] }

    /// Those of the file with this number.
    func ofFile(_ file: Int) -> Range<Int> { firsts[file]..<firsts[file + 1] }

    subscript(index: Int) -> Span {
        // The last file that begins at or before it.
        var (low, high) = (0, files.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if firsts[middle] <= index { low = middle } else { high = middle }
        }
        let file = files[low]
        guard let checkpoints else {
            return Span(file: file, chunk: 0, bytes: 0..<file.size, before: .start, after: nil)
        }
        let chunk = index - firsts[low]
        // Each file before has one checkpoint less than chunks.
        func state(_ chunk: Int) -> HashState {
            let start = (firsts[low] - low + chunk) * HashState.size
            return HashState(checkpoints[start..<start + HashState.size])
        }
        return Span(
            file: file, chunk: chunk, bytes: Chunk.range(chunk, of: file.size),
            before: chunk == 0 ? .start : state(chunk - 1),
            after: chunk == Chunk.count(of: file.size) - 1 ? nil : state(chunk))
    }
}

extension BundleFolder {
    /// The checkpoints, or nil and what is wrong with them.
    func checkpoints() -> (bytes: [UInt8]?, damages: [Damage]) {
        var damages: [Damage] = []
        var good: [UInt8]?
        for place in copies(of: Reserved.checkpoints) {
            do {
                let bytes = try SmallFile.read(place, upTo: Int(description.checkpoints.size))
                if Digest(of: bytes) == description.checkpoints.sha256 {
                    good = bytes
                } else {
                    damages.append(.file(Reserved.checkpoints, at: place))
                }
            } catch Errno.noSuchFileOrDirectory, Errno.fileTooLarge {
                // The listing says so.
            } catch {
                damages.append(.unreadable(Reserved.checkpoints, index: 0, at: place, why: "\(error)"))
            }
        }
        return (good, damages)
    }
}
