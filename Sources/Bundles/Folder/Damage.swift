package import SystemPackage

/// One thing that is not as bundle.json says. Files are named as there.
package enum Damage: Hashable, Sendable, Codable {
    case volumeMissing(Int, of: Int)
    case missing(String)
    /// In bytes; the place is the file's own, or that of its piece on a volume.
    case size(String, at: FilePath, is: Int64, shouldBe: Int64)
    /// Some of its bytes; nil where it has no chunk of its own to name.
    case chunk(String, index: Int, bytes: Range<Int64>)
    /// The whole of it, where chunks cannot be told apart.
    case file(String, at: FilePath)
    case unreadable(String, index: Int, at: FilePath, why: String)
    /// It stands there, and in no list.
    case stranger(FilePath)
    /// A link, a device: whatever is no plain file.
    case noFile(FilePath)

    /// The file of bundle.json that has to be mended; nil where that is not what helps.
    package var path: String? {
        switch self {
        case .missing(let path), .size(let path, _, _, _), .chunk(let path, _, _), .file(let path, _),
            .unreadable(let path, _, _, _):
            path
        case .volumeMissing, .stranger, .noFile: nil
        }
    }
}

extension Collection<Damage> {
    /// Volumes first, then files by path and chunk, then strangers.
    func sorted() -> [Damage] {
        func key(_ damage: Damage) -> (Int, String, Int) {
            switch damage {
            case .volumeMissing(let number, _): (0, "", number)
            case .missing(let path), .size(let path, _, _, _), .file(let path, _): (1, path, -1)
            case .chunk(let path, let index, _), .unreadable(let path, let index, _, _): (1, path, index)
            case .stranger(let place), .noFile(let place): (2, place.string, 0)
            }
        }
        return sorted { key($0) < key($1) }
    }
}

extension Damage: CustomStringConvertible {
    package var description: String {
        switch self {
        case .volumeMissing(let number, let count):
            "volume \(number) of \(count) is missing: put the directory volume-\(number) beside the others"
        case .missing(let path): "\(path) is missing"
        case .size(_, let place, let found, let expected): "\(place) has \(found) bytes and should have \(expected)"
        case .chunk(let path, let index, let bytes) where bytes.isEmpty:
            "chunk \(index) of \(path) (no bytes) is damaged"
        case .chunk(let path, let index, let bytes):
            "chunk \(index) of \(path) (bytes \(bytes.lowerBound) to \(bytes.upperBound - 1)) is damaged"
        case .file(_, let place): "\(place) is damaged"
        case .unreadable(let path, let index, let place, let why):
            "chunk \(index) of \(path) cannot be read from \(place): \(why)"
        case .stranger(let path): "\(path) is in no list: remove it, unless somebody can say what it is"
        case .noFile(let path): "\(path) is no plain file: remove it"
        }
    }
}
