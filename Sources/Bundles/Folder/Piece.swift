package import SystemPackage

/// A run of a file's bytes, and the file of its own in which they lie.
package struct Piece: Hashable, Sendable {
    package var file: FilePath
    /// Where in the whole it begins, in bytes.
    package var offset: Int64
    package var length: Int64

    var end: Int64 { offset + length }
}
