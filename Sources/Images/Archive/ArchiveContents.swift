import Crypto
import SystemPackage

/// What one pass over an archive shows: its members, and the texts among them.
struct ArchiveContents: Members {
    struct Entry {
        var size: Int64
        /// The whole body, where it looks like JSON.
        var document: [UInt8]?
        /// What the body is compressed with, and its digest, where the archive
        /// itself does not say it.
        var compressed: (type: String, digest: Digest)?
    }

    let path: FilePath
    var layout: LayoutFolder? { nil }
    private var entries: [String: Entry] = [:]
    private var links: [String: String] = [:]

    /// In bytes. Manifests and configs are some kilobytes, and no registry has
    /// to take one that is larger (OCI distribution-spec 1.1, Pushing Manifests).
    static let largestDocument = 4 << 20
    static let largestDocuments = 32 << 20
    static let mostMembers = 100_000

    init(of path: FilePath) throws(ImageError) {
        self.path = path
        var reader = try ArchiveReader(at: path)
        var kept = 0
        while let member = try reader.next() {
            let name = member.name
            guard entries.count + links.count < Self.mostMembers else {
                throw error("it has more than \(Self.mostMembers) members")
            }
            if member.kind == .folder { continue }
            guard entries[name] == nil, links[name] == nil else { throw error("it holds '\(name)' twice") }
            switch member.kind {
            case .folder: continue
            case .link(let target): links[name] = target
            case .file:
                let entry = try Self.entry(member, from: &reader, path)
                kept += entry.document?.count ?? 0
                guard kept <= Self.largestDocuments else {
                    throw error("it has more than \(Self.largestDocuments >> 20) MiB of JSON")
                }
                entries[name] = entry
            }
        }
    }

    func file(_ name: String) throws(ImageError) -> (name: String, size: Int64) {
        let (name, entry) = try entry(name)
        return (name, entry.size)
    }

    /// The member and its true name, links followed.
    func entry(_ name: String) throws(ImageError) -> (name: String, entry: Entry) {
        var name = name
        for _ in 0..<8 {
            if let entry = entries[name] { return (name, entry) }
            guard let target = links[name] else { throw error("it lacks '\(name)'") }
            name = target
        }
        throw error("its links lead round from '\(name)'")
    }

    func has(_ name: String) -> Bool { entries[name] != nil || links[name] != nil }

    func document(_ name: String) throws(ImageError) -> [UInt8] {
        let (name, entry) = try entry(name)
        guard let document = entry.document else { throw error("'\(name)' is not JSON, or too big") }
        return document
    }

    private static func entry(
        _ member: ArchiveReader.Member, from reader: inout ArchiveReader, _ path: FilePath
    ) throws(ImageError) -> Entry {
        var entry = Entry(size: member.size)
        let isText = ["manifest.json", "index.json"].contains(member.name)
        if isText, member.size > largestDocument {
            let reason = "'\(member.name)' has \(member.size) bytes; more than \(largestDocument >> 20) MiB is refused"
            throw ImageError("read", path.string, reason)
        }
        let head = try reader.read(upTo: Int(min(member.size, 1 << 12)))
        let first = head.first { ![9, 10, 13, 32].contains($0) }
        if isText || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            guard member.size <= largestDocument else { return entry }
            entry.document = head + (try reader.read(upTo: Int(member.size) - head.count))
        } else if let type = compression(of: head), !member.name.hasPrefix("blobs/sha256/") {
            var hash = SHA256()
            hash.update(data: head)
            while case let piece = try reader.read(upTo: 1 << 20), !piece.isEmpty { hash.update(data: piece) }
            entry.compressed = (type, Digest(hash.finalize()))
        }
        return entry
    }

    /// By the first bytes of each format (RFC 1952, RFC 8878). An OCI layer is nothing else.
    private static func compression(of head: [UInt8]) -> String? {
        if head.starts(with: [0x1f, 0x8b]) { return "gzip" }
        if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return "zstd" }
        return nil
    }
}
