package import SystemPackage

/// Where the bytes of blobs are: an archive, read once from front to back, or
/// a folder that has a file for each.
package protocol BlobSource: Sendable {
    /// The archive or the folder, as messages name it.
    var path: FilePath { get }

    /// Reads each wanted blob once, in the order that suits the source, from
    /// its offset on, and hands it over in pieces. The bytes are not proved:
    /// who stores them compares the digest. It blocks, so it wants a thread of
    /// its own. What `take` throws ends it.
    ///
    /// An error where a blob is missing, or has another size than it claims.
    func read(_ wanted: [WantedBlob], _ take: (BlobPiece) throws(ImageError) -> Void) throws(ImageError)
}

package struct WantedBlob: Hashable, Sendable {
    package var blob: Blob
    /// How many of its bytes the store has from an earlier run.
    package var offset: Int64 = 0

    package init(_ blob: Blob, from offset: Int64 = 0) { (self.blob, self.offset) = (blob, offset) }
}

package struct BlobPiece: Hashable, Sendable {
    package var blob: Blob
    /// Where in the blob the bytes belong.
    package var offset: Int64
    /// At most `largest`; none where nothing is left to read of the blob.
    package var bytes: [UInt8]

    package init(_ blob: Blob, at offset: Int64, _ bytes: [UInt8]) {
        (self.blob, self.offset, self.bytes) = (blob, offset, bytes)
    }

    package var isLast: Bool { offset + Int64(bytes.count) == blob.size }

    /// In bytes; what is in memory at a time is a few of these.
    package static let largest = 1 << 20
}

extension ArchivedImage {
    /// What holds the blobs of these images, which all come from this one's archive.
    package func source(with others: some Sequence<ArchivedImage> = []) -> any BlobSource {
        if let layout { return layout }
        var members = source.members
        for image in others { members.merge(image.source.members) { one, _ in one } }
        return ArchiveBlobs(path: archive, members: members)
    }
}

/// The blobs of an archive.
struct ArchiveBlobs: BlobSource {
    var path: FilePath
    /// Where each of them is.
    var members: [Digest: String]

    func read(_ wanted: [WantedBlob], _ take: (BlobPiece) throws(ImageError) -> Void) throws(ImageError) {
        var names: [String: WantedBlob] = [:]
        for blob in wanted {
            guard let name = members[blob.blob.digest] else { throw error("it does not hold \(blob.blob.digest)") }
            if let other = names.updateValue(blob, forKey: name), other.blob != blob.blob {
                throw error("'\(name)' cannot be both \(other.blob.digest.short) and \(blob.blob.digest.short)")
            }
        }
        guard !names.isEmpty else { return }
        var reader = try ArchiveReader(at: path)
        while !names.isEmpty {
            guard let member = try reader.next() else { throw error("it lacks '\(names.keys.sorted()[0])'") }
            guard member.kind == .file, let blob = names.removeValue(forKey: member.name) else { continue }
            guard member.size == blob.blob.size else {
                throw error(
                    "'\(member.name)' has \(member.size) bytes and had \(blob.blob.size) when the archive was read")
            }
            try read(blob, of: member.name, from: &reader, take)
        }
    }

    private func read(
        _ wanted: WantedBlob, of member: String, from reader: inout ArchiveReader,
        _ take: (BlobPiece) throws(ImageError) -> Void
    ) throws(ImageError) {
        var offset: Int64 = 0
        func next(upTo end: Int64) throws(ImageError) -> [UInt8] {
            let count = Int(min(end - offset, Int64(BlobPiece.largest)))
            let bytes = try reader.read(upTo: count)
            guard bytes.count == count else {
                throw error("'\(member)' ends \(wanted.blob.size - offset - Int64(bytes.count)) bytes early")
            }
            return bytes
        }
        // A tar may be compressed: what the store has is read past, not jumped over.
        while offset < wanted.offset { offset += Int64(try next(upTo: wanted.offset).count) }
        repeat {
            let bytes = try next(upTo: wanted.blob.size)
            try take(BlobPiece(wanted.blob, at: offset, bytes))
            offset += Int64(bytes.count)
        } while offset < wanted.blob.size
    }

    private func error(_ reason: String) -> ImageError { ImageError("read", path.string, reason) }
}
