import Glibc
import SystemPackage

/// One file that is copied into a bundle.
struct CarriedFile: Hashable, Sendable {
    var source: FilePath
    /// Below the bundle's directory.
    var place: String
    var size: Int64
    var isProgram: Bool

    /// Copies it, unless the same bytes stand there. Owner and times are not carried: the same input gives the same bundle.
    func copy(to root: FilePath) throws(BundleFault) {
        let target = root.pushing(FilePath(place))
        if let there = FileEntry(at: target), there.kind == .file, there.size == size, there.isProgram == isProgram,
            try trying("compare", target, { try isSame(as: target) })
        {
            return
        }
        let folder = target.removingLastComponent()
        try SmallFile.makeFolder(folder)
        let temporary = folder.appending(".\(target.lastComponent?.string ?? "").part")
        try trying("copy \(source) to", target) {
            let from = try FileDescriptor.open(source, .readOnly, options: [.closeOnExec])
            try from.closeAfter {
                let permissions: FilePermissions =
                    isProgram
                    ? [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
                    : [.ownerReadWrite, .groupRead, .otherRead]
                let to = try FileDescriptor.open(
                    temporary, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: permissions)
                try to.closeAfter {
                    try Self.pieces(of: from) { try to.writeAll($0) }
                    try system(fchmod(to.rawValue, permissions.rawValue))
                    try system(fsync(to.rawValue))
                }
            }
            try system(rename(temporary.string, target.string))
            try SmallFile.synchronize(folder)
        }
    }

    private func isSame(as target: FilePath) throws -> Bool {
        let (one, other) = (
            try FileDescriptor.open(source, .readOnly, options: [.closeOnExec]),
            try FileDescriptor.open(target, .readOnly, options: [.closeOnExec])
        )
        defer {
            try? one.close()
            try? other.close()
        }
        var offset: Int64 = 0
        var same = true
        try Self.pieces(of: one) { piece in
            guard same else { return }
            let there = try [UInt8](unsafeUninitializedCapacity: piece.count) { buffer, count in
                count = try other.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
            }
            same = there.elementsEqual(piece)
            offset += Int64(piece.count)
        }
        return same
    }

    private static func pieces(of file: FileDescriptor, _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 64) { buffer in
            while case let count = try file.read(into: buffer), count > 0 {
                try take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}

extension BundleMaker.Carried {
    /// What is to be copied. Links are followed: a bundle has none.
    func files() throws(BundleFault) -> [CarriedFile] {
        var status = stat()
        try trying("read", source) {
            if stat(source.string, &status) != 0 { throw Errno(rawValue: errno) }
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw BundleFault("\(source) is neither a file nor a folder: a bundle has nothing else")
            }
            return [
                CarriedFile(
                    source: source, place: place, size: Int64(status.st_size), isProgram: status.st_mode & S_IXUSR != 0)
            ]
        }
        var files: [CarriedFile] = []
        let names = try trying("read the directory", source) { try Tree.names(in: source) }
        // Python leaves its cache beside what it read.
        for name in names where !name.hasPrefix(".") && name != "__pycache__" {
            files += try Self(source.appending(name), at: "\(place)/\(name)", needs: needs).files()
        }
        return files
    }
}
