package import SystemPackage

/// One content of an image: an index, a manifest, a config or a layer.
package struct Blob: Hashable, Sendable, Codable {
    package var digest: Digest
    /// In bytes, as stored (compressed, where it is).
    package var size: Int64

    package init(digest: Digest, size: Int64) {
        (self.digest, self.size) = (digest, size)
    }
}

package struct Platform: Hashable, Sendable, Codable, CustomStringConvertible {
    package var os: String
    package var architecture: String

    package init(os: String, architecture: String) {
        (self.os, self.architecture) = (os, architecture)
    }

    package static let linuxAMD64 = Platform(os: "linux", architecture: "amd64")
    package var description: String { "\(os)/\(architecture)" }
}

/// What one layer of an image adds.
package struct Layer: Hashable, Sendable, Codable {
    package var blob: Blob
    package var mediaType: String
    /// The digest of its plain tar, which the image's config names.
    package var difference: Digest
}

/// An image as an archive, or a layout's directory, holds it.
package struct ArchivedImage: Hashable, Sendable {
    /// May be empty: an image can be saved by its digest alone.
    package var names: [ImageReference]
    /// The digest that a store will have for its names: of the index, where
    /// the names mean an index, else of the manifest.
    package var target: Digest
    package var platform: Platform
    package var config: Digest
    /// All that a store needs of it, on this platform; each digest once.
    package var blobs: [Blob]
    package var archive: FilePath
    /// Nil where `archive` is a file.
    package var layout: LayoutFolder?
    var source: Source

    /// Media type of `target`.
    package var mediaType: String { source.mediaType }
    /// From the lowest up; one that stands twice in the image stands twice here.
    package var layers: [Layer] { source.layers }
    /// The manifest, where the archive (of an older Docker) has none and it was composed.
    package var composedManifest: [UInt8]? { source.composed.map { Array($0.utf8) } }

    /// What only a writer of archives has to know.
    struct Source: Hashable, Sendable, Codable {
        /// Media type of `target`.
        var mediaType: String
        var manifest: Blob
        var manifestType: String
        /// Where in the archive each blob is.
        var members: [Digest: String]
        /// From the lowest up; one that stands twice in the image stands twice here.
        var layers: [Layer] = []
        /// The manifest's text, where the archive (of an older Docker) has none and it was composed here.
        var composed: String?
    }
}
