package import SystemPackage

/// A run of a file's bytes, and the file of its own in which they lie.
package struct Piece: Hashable, Sendable {
    package var file: FilePath
    /// Where in the whole it begins, in bytes.
    package var offset: Int64
    package var length: Int64

    var end: Int64 { offset + length }

    func holds(_ bytes: Range<Int64>) -> Bool { offset <= bytes.lowerBound && bytes.upperBound <= end }
}

extension [Piece] {
    /// Whether these, sorted, have all of the bytes between them.
    func cover(_ bytes: Range<Int64>) -> Bool {
        !isEmpty && reduce(bytes.lowerBound) { $1.offset <= $0 ? Swift.max($0, $1.end) : $0 } >= bytes.upperBound
    }
}

extension BundleDescription.File {
    package var isBlob: Bool { path.hasPrefix("images/blobs/") }

    var permissions: FilePermissions {
        isProgram
            ? [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
            : [.ownerReadWrite, .groupRead, .otherRead]
    }
}
