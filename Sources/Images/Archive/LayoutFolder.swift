import SystemPackage

/// An OCI image layout as a directory. Nothing of it is read but what is asked for.
///
/// A member may be cut into NAME.0, NAME.1 and so on, as volumes of a bundle
/// that were copied into one directory have it. Links are not followed: a
/// layout has none, and what they lead to may be anything.
struct LayoutFolder: Members, Sendable {
    let path: FilePath
    var isFolder: Bool { true }

    struct Member {
        var name: String
        /// The file itself, or all its parts in their order, with their sizes.
        var parts: [(file: FilePath, size: Int64)]
        var size: Int64 { parts.reduce(0) { $0 + $1.size } }
    }

    init(at path: FilePath) throws(ImageError) {
        self.path = path
        for folder in ["blobs", "blobs/sha256"] {
            let stat = try? Stat(path.pushing(FilePath(folder)), followTargetSymlink: false)
            guard stat?.type == .directory else {
                throw error("it is no OCI image layout: '\(folder)' in it is not a folder")
            }
        }
    }

    func has(_ name: String) -> Bool { (try? member(name)) != nil }

    func file(_ name: String) throws(ImageError) -> (name: String, size: Int64) {
        (name, try member(name).size)
    }

    func document(_ name: String) throws(ImageError) -> [UInt8] {
        let member = try member(name)
        guard member.size <= ArchiveContents.largestDocument else {
            throw error("'\(name)' has \(member.size) bytes, which is too many for JSON")
        }
        return try read(member, from: 0, count: Int(member.size))
    }

    func member(_ name: String) throws(ImageError) -> Member {
        if let size = try size(of: name) { return Member(name: name, parts: [(place(of: name), size)]) }
        var parts: [(file: FilePath, size: Int64)] = []
        while let size = try size(of: "\(name).\(parts.count)") {
            parts.append((place(of: "\(name).\(parts.count)"), size))
        }
        guard !parts.isEmpty else { throw error("it lacks '\(name)'") }
        return Member(name: name, parts: parts)
    }

    /// Exactly `count` bytes, which may lie in several parts.
    func read(_ member: Member, from offset: Int64, count: Int) throws(ImageError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var start: Int64 = 0
        for part in member.parts {
            let from = offset + Int64(bytes.count) - start
            if bytes.count < count, from < part.size {
                let wanted = Int(min(Int64(count - bytes.count), part.size - from))
                bytes += try read(part.file, from: from, count: wanted)
            }
            start += part.size
        }
        guard bytes.count == count else { throw error("'\(member.name)' ends early") }
        return bytes
    }

    private func place(of name: String) -> FilePath { path.pushing(FilePath(name)) }

    /// In bytes; nil where there is no such file.
    private func size(of name: String) throws(ImageError) -> Int64? {
        let stat: Stat
        do {
            stat = try Stat(place(of: name), followTargetSymlink: false)
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw self.error("'\(name)': \(error)")
        }
        guard stat.type == .regular else { throw error("'\(name)' is not a file") }
        return Int64(stat.size)
    }

    private func read(_ file: FilePath, from offset: Int64, count: Int) throws(ImageError) -> [UInt8] {
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: [.noFollow, .closeOnExec])
            return try descriptor.closeAfter {
                try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                    let rest = UnsafeMutableRawBufferPointer(buffer)
                    while filled < count {
                        let place = UnsafeMutableRawBufferPointer(rebasing: rest[filled..<count])
                        let got = try descriptor.read(fromAbsoluteOffset: offset + Int64(filled), into: place)
                        if got == 0 { return }
                        filled += got
                    }
                }
            }
        } catch {
            throw ImageError("read", file.string, "\(error)")
        }
    }
}

/// The blobs of a layout's directory: each is a file, so what the store has already is jumped over.
struct LayoutBlobs: BlobSource {
    let path: FilePath

    func read(_ wanted: [WantedBlob], _ take: (BlobPiece) throws(ImageError) -> Void) throws(ImageError) {
        let folder = try LayoutFolder(at: path)
        for one in wanted {
            let blob = one.blob
            let member = try folder.member("blobs/sha256/" + blob.digest.hex)
            guard member.size == blob.size else {
                throw folder.error("'\(member.name)' has \(member.size) bytes and should have \(blob.size)")
            }
            var offset = one.offset
            repeat {
                let count = Int(min(blob.size - offset, Int64(BlobPiece.largest)))
                try take(BlobPiece(blob, at: offset, try folder.read(member, from: offset, count: count)))
                offset += Int64(count)
            } while offset < blob.size
        }
    }
}
