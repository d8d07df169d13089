import Images
import SystemPackage

/// Which bytes of which files go onto which volume.
struct SplitPlan: Hashable {
    /// The pieces of each volume.
    private(set) var volumes: [[VolumeDescription.Piece]] = []
    private var room: [Int64] = []
    private let size: Int64

    /// In bytes, at most: what volume-N.json says beside its pieces, and of each piece beside its path.
    private static let head: Int64 = 200
    private static func words(on path: String) -> Int64 { Int64(path.utf8.count) + 100 }

    /// - Parameters:
    ///   - size: What a volume may have at most, in bytes, with all that it needs.
    ///   - shared: What is on each volume.
    init(_ description: BundleDescription, size: Int64, shared: Int64) throws(BundleFault) {
        self.size = size - shared - Self.head
        let whole = description.files.filter { !$0.isBlob }
        let least =
            (whole.map { $0.size + Self.words(on: $0.path) } + [Chunk.size + Self.words(on: "") + 100]).max() ?? 0
        guard least <= self.size else {
            let largest = whole.max { $0.size < $1.size }
            let what =
                largest.map { $0.size > Chunk.size ? "\($0.path), which is not cut" : "one chunk" } ?? "one chunk"
            throw BundleFault(
                "volumes of \(size) bytes are too small: they need \(least + shared + Self.head) for \(what)",
                blame: .machine)
        }
        // What cannot be cut comes first, the largest before all; then the blobs fill what is left.
        for file in whole.sorted(by: { ($1.size, $0.path) < ($0.size, $1.path) }) { put(file) }
        for file in description.files.filter(\.isBlob) { cut(file) }
        for index in volumes.indices { volumes[index].sort { ($0.path, $0.offset) < ($1.path, $1.offset) } }
    }

    private mutating func put(_ file: BundleDescription.File) {
        let needed = file.size + Self.words(on: file.path)
        let index = room.firstIndex { $0 >= needed } ?? addVolume()
        volumes[index].append(.init(path: file.path, offset: 0, length: file.size, part: nil))
        room[index] -= needed
    }

    private mutating func cut(_ file: BundleDescription.File) {
        let words = Self.words(on: file.path)
        if let index = room.firstIndex(where: { $0 >= Chunk.size + words }), room[index] >= file.size + words {
            return put(file)
        }
        var offset: Int64 = 0
        var part = 0
        while offset < file.size {
            let index = room.firstIndex { $0 >= min(Chunk.size, file.size - offset) + words } ?? addVolume()
            let rest = file.size - offset
            let space = room[index] - words
            let length = rest <= space ? rest : space / Chunk.size * Chunk.size
            if offset == 0 && length == file.size { return put(file) }
            volumes[index].append(.init(path: file.path, offset: offset, length: length, part: part))
            room[index] -= length + words
            (offset, part) = (offset + length, part + 1)
        }
        if file.size == 0 { put(file) }
    }

    private mutating func addVolume() -> Int {
        volumes.append([])
        room.append(size)
        return volumes.count - 1
    }
}
