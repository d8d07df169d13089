package import Images

/// Where `bundle create` can have images from.
package protocol ImageSupply: Sendable {
    /// As messages name it.
    var name: String { get }
    /// The image of that name, for our platform, or nil where this has none.
    func image(_ reference: ImageReference) async throws -> SuppliedImage?
}

/// A supply has an image of that name, and cannot give it; the next may.
struct IncompleteImage: Error {
    /// "WHERE has it without WHAT"
    var reason: String
}

/// An image as a supply has it.
package struct SuppliedImage: Sendable {
    package enum Bytes: Sendable {
        /// Each blob can be had by itself, from a byte on; several side by side.
        case each(@Sendable (WantedBlob, @escaping @Sendable ([UInt8]) throws -> Void) async throws -> Void)
        /// All are read in one pass.
        case pass(any BlobSource)
    }

    /// What the name means: an index or a manifest.
    package var target: Blob
    package var mediaType: String
    package var config: Digest
    /// All that the platform needs; each digest once.
    package var blobs: [Blob]
    /// Those of the blobs that are no documents.
    package var layers: Set<Digest>
    /// Documents that need not be asked for.
    package var documents: [Digest: [UInt8]]
    package var bytes: Bytes

    package init(
        target: Blob, mediaType: String, config: Digest, blobs: [Blob], layers: Set<Digest>,
        documents: [Digest: [UInt8]], bytes: Bytes
    ) {
        (self.target, self.mediaType, self.config) = (target, mediaType, config)
        (self.blobs, self.layers, self.documents, self.bytes) = (blobs, layers, documents, bytes)
    }
}
