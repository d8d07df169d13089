package import SystemPackage

/// An OCI image layout as a directory. Nothing of it is read but what is asked for.
///
/// It may lie in several directories, as volumes of a bundle do that lie side
/// by side; and a member may be cut into NAME.0, NAME.1 and so on. Links are
/// not followed: a layout has none, and what they lead to may be anything.
package struct LayoutFolder: Hashable, Sendable {
    package let path: FilePath
    /// The other directories that it lies in.
    private let others: [FilePath]
    /// Blobs that it may lack, because the site has them.
    private let omitted: [Blob]

    struct Member {
        var name: String
        /// The file itself, or all its parts in their order, with their sizes.
        var parts: [(file: FilePath, size: Int64)]
        var size: Int64 { parts.reduce(0) { $0 + $1.size } }
    }

    package init(at path: FilePath, and others: [FilePath] = [], omitted: [Blob] = []) throws(ImageError) {
        (self.path, self.others, self.omitted) = (path, others, omitted)
        var found = false
        for name in ([path] + others).flatMap({ [$0.appending("blobs"), $0.pushing("blobs/sha256")] }) {
            guard let stat = try? Stat(name, followTargetSymlink: false) else { continue }
            found = stat.type == .directory
            if !found { break }
        }
        guard found else { throw error("it is no OCI image layout: there is no folder 'blobs/sha256' in it") }
    }

    func member(_ name: String) throws(ImageError) -> Member {
        if let whole = try find(name) { return Member(name: name, parts: [whole]) }
        var parts: [(file: FilePath, size: Int64)] = []
        while let part = try find("\(name).\(parts.count)") { parts.append(part) }
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

    /// With its size in bytes; nil where there is no such file.
    private func find(_ name: String) throws(ImageError) -> (file: FilePath, size: Int64)? {
        for folder in [path] + others {
            let file = folder.pushing(FilePath(name))
            let stat: Stat
            do {
                stat = try Stat(file, followTargetSymlink: false)
            } catch {
                if error == .noSuchFileOrDirectory { continue }
                throw self.error("'\(name)': \(error)")
            }
            guard stat.type == .regular else { throw error("'\(name)' is not a file") }
            return (file, Int64(stat.size))
        }
        return nil
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
            throw ImageError("read", file.string, (error as? Errno)?.inWords ?? "\(error)")
        }
    }
}

extension LayoutFolder: Members {
    var layout: LayoutFolder? { self }

    func has(_ name: String) -> Bool { (try? member(name)) != nil }

    func file(_ name: String) throws(ImageError) -> (name: String, size: Int64) {
        let blob = omitted.first { Self.place(of: $0.digest) == name }
        if let blob, !has(name) { return (name, blob.size) }
        return (name, try member(name).size)
    }

    func document(_ name: String) throws(ImageError) -> [UInt8] {
        let member = try member(name)
        guard member.size <= ArchiveContents.largestDocument else {
            throw error("'\(name)' has \(member.size) bytes, which is too many for JSON")
        }
        return try read(member, from: 0, count: Int(member.size))
    }
}

/// Each blob is a file, so what the store has already is jumped over.
extension LayoutFolder: BlobSource {
    package func read(_ wanted: [WantedBlob], _ take: (BlobPiece) throws(ImageError) -> Void) throws(ImageError) {
        for one in wanted {
            let blob = one.blob
            let member = try member(Self.place(of: blob.digest))
            guard member.size == blob.size else {
                throw error("'\(member.name)' has \(member.size) bytes and should have \(blob.size)")
            }
            var offset = one.offset
            repeat {
                let count = Int(min(blob.size - offset, Int64(BlobPiece.largest)))
                try take(BlobPiece(blob, at: offset, try read(member, from: offset, count: count)))
                offset += Int64(count)
            } while offset < blob.size
        }
    }
}
