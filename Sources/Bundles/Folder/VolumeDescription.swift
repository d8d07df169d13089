import FoundationEssentials
import Images
import SystemPackage

/// What volume-N.json says: which bytes of which files a volume holds. It is not signed: what the volume
/// holds is proved as all files are.
struct VolumeDescription: Codable, Hashable, Sendable {
    /// The digest of the bundle.json that was split.
    var bundle: Digest
    /// From 1 on.
    var volume: Int
    var of: Int
    /// Sorted by path.
    var pieces: [Piece]

    struct Piece: Codable, Hashable, Sendable {
        /// As in bundle.json.
        var path: String
        /// Where in the file it begins: at a chunk.
        var offset: Int64
        var length: Int64
        /// Nil where it is the whole file; else its number in the file, from 0 on.
        var part: Int?

        /// Where it lies.
        var place: String { part.map { "\(path).\($0)" } ?? path }
    }

    /// More would not be carried.
    static let most = 10_000
    static func file(_ number: Int) -> String { "volume-\(number).json" }
    static func folder(_ number: Int) -> String { "volume-\(number)" }

    static func number(ofFile name: String) -> Int? {
        guard name.hasPrefix("volume-"), name.hasSuffix(".json") else { return nil }
        return number(ofFolder: String(name.dropLast(".json".count)))
    }

    static func number(ofFolder name: String) -> Int? {
        guard name.hasPrefix("volume-"), let number = Int(name.dropFirst("volume-".count)),
            (1...most).contains(number), name == folder(number)
        else { return nil }
        return number
    }

    /// Refuses what does not fit the description: it says where to read.
    init(reading text: [UInt8], at path: FilePath, number: Int, of description: BundleDescription, _ bundle: Digest)
        throws(BundleFault)
    {
        func refused(_ reason: String) -> BundleFault {
            BundleFault("could not read \(path): \(reason): copy the volume again")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(text))
        } catch {
            throw refused("it is cut off, or no description of a volume")
        }
        guard self.bundle == bundle else { throw refused("it belongs to another bundle") }
        guard volume == number, (number...Self.most).contains(of) else {
            throw refused("it says that it is volume \(volume) of \(of)")
        }
        let sizes = Dictionary(description.files.map { ($0.path, $0.size) }) { one, _ in one }
        for piece in pieces {
            guard let size = sizes[piece.path] else { throw refused("bundle.json has no file '\(piece.path)'") }
            let isInside =
                piece.offset >= 0 && piece.length >= 0 && piece.length <= size && piece.offset <= size - piece.length
            let isWhole = piece.offset == 0 && piece.length == size
            guard isInside, piece.part.map({ $0 >= 0 && piece.offset % Chunk.size == 0 }) ?? isWhole else {
                throw refused("it cuts '\(piece.path)' where no file is cut")
            }
        }
    }

    init(bundle: Digest, volume: Int, of: Int, pieces: [Piece]) {
        (self.bundle, self.volume, self.of, self.pieces) = (bundle, volume, of, pieces)
    }
}
