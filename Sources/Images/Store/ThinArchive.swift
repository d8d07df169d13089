import Crypto
import FoundationEssentials
import SystemPackage

/// An OCI layout, made piece by piece while its source is read once: only the
/// blobs that a store lacks, then an index that names the images.
///
/// The index comes last, so that a stream that was cut is no image archive at
/// all; the last piece of a blob comes only once the blob's digest is proved,
/// so that a store is never given a whole wrong one.
struct ThinArchive: ~Copyable {
    private let load: ImageLoad
    private let folder: String
    private var wanted: [String: Blob] = [:]
    private var begun: [[UInt8]]
    private var reader: ArchiveReader?
    private var body: Body?
    private var isDone = false
    /// Bytes of blobs so far.
    private(set) var sent: Int64 = 0

    struct Body {
        var member: String
        var blob: Blob
        var left: Int64
        var hash = SHA256()
    }

    /// In bytes; what is in memory at a time is a few of these.
    static let piece = 1 << 20

    /// The blobs go into a folder of this name. containerd goes on with a blob
    /// that was begun under the same name, so it has to be one that no other source ever had.
    init(_ load: ImageLoad, in folder: String) throws(ImageError) {
        self.load = load
        self.folder = folder
        begun = [Self.member("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))]
        let source = load.image.source
        for blob in load.missing {
            if let text = source.composed, blob == source.manifest {
                begun.append(Self.member("\(folder)/\(blob.digest.hex)", Array(text.utf8)))
                sent += blob.size
            } else if let member = source.members[blob.digest] {
                wanted[member] = blob
            } else {
                throw error("nothing is known of \(blob.digest)")
            }
        }
        if !wanted.isEmpty { reader = try ArchiveReader(at: load.image.archive) }
    }

    /// The next bytes of the archive, or nil after the last.
    mutating func next() throws(ImageError) -> [UInt8]? {
        if !begun.isEmpty { return begun.removeFirst() }
        if let current = body { return try proceed(current) }
        if isDone { return nil }
        while !wanted.isEmpty {
            guard let member = try reader?.next() else { throw error("it lacks '\(wanted.keys.sorted()[0])'") }
            guard member.kind == .file, let blob = wanted.removeValue(forKey: member.name) else { continue }
            guard member.size == blob.size else {
                throw error("'\(member.name)' has \(member.size) bytes and had \(blob.size) when the archive was read")
            }
            body = Body(member: member.name, blob: blob, left: blob.size)
            return TarHeader.file("\(folder)/\(blob.digest.hex)", size: blob.size)
        }
        isDone = true
        return Self.member("index.json", try index()) + TarHeader.end
    }

    private mutating func proceed(_ current: Body) throws(ImageError) -> [UInt8] {
        var current = current
        let count = Int(min(current.left, Int64(Self.piece)))
        let bytes = try reader?.read(upTo: count) ?? []
        guard bytes.count == count else {
            throw error("'\(current.member)' ends \(current.left - Int64(bytes.count)) bytes early")
        }
        current.hash.update(data: bytes)
        current.left -= Int64(count)
        sent += Int64(count)
        body = current
        guard current.left == 0 else { return bytes }
        body = nil
        let found = Digest(current.hash.finalize())
        guard found == current.blob.digest else {
            throw error("'\(current.member)' is damaged: expected \(current.blob.digest), found \(found)")
        }
        return bytes + TarHeader.padding(after: current.blob.size)
    }

    /// One entry a name; all say the same image, as containerd wants it.
    private func index() throws(ImageError) -> [UInt8] {
        let image = load.image
        var entries: [Descriptor] = []
        for name in load.references {
            guard let target = image.target(for: name) else {
                throw ImageError("give", "\(name)", "\(image.archive) holds \(image.target) and not that digest")
            }
            entries.append(
                Descriptor(
                    mediaType: target.mediaType, digest: target.blob.digest, size: target.blob.size,
                    annotations: ["io.containerd.image.name": name.description]))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(Index(manifests: entries)))
        } catch {
            throw self.error("\(error)")
        }
    }

    private struct Index: Encodable {
        var schemaVersion = 2
        var mediaType = MediaType.index
        var manifests: [Descriptor]
    }

    private static func member(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        TarHeader.file(name, size: Int64(bytes.count)) + bytes + TarHeader.padding(after: Int64(bytes.count))
    }

    private func error(_ reason: String) -> ImageError { ImageError("read", load.image.archive.string, reason) }
}

extension ArchivedImage {
    /// What the name is to mean: a name with a digest may mean the index or the manifest in it.
    func target(for name: ImageReference) -> (blob: Blob, mediaType: String)? {
        guard let top = blobs.first(where: { $0.digest == target }) else { return nil }
        guard let digest = name.digest, digest != target else { return (top, source.mediaType) }
        return digest == source.manifest.digest ? (source.manifest, source.manifestType) : nil
    }
}
