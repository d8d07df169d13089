package import Images
import SystemPackage

/// The images of archives, folders of archives, layouts and bundles.
package struct ArchiveSupply: ImageSupply {
    package let name: String
    private let images: [ArchivedImage]
    /// One for all images of an archive, so that it is read once.
    private let sources: [FilePath: any BlobSource]

    /// Reads what the shelf holds; it blocks.
    package init(_ shelf: ImageShelf, name: String) throws(ImageError) {
        (self.name, images) = (name, try shelf.images())
        sources = Dictionary(grouping: images, by: \.archive).compactMapValues { images in
            images.first.map { $0.source(with: images.dropFirst()) }
        }
    }

    package func image(_ reference: ImageReference) async throws -> SuppliedImage? {
        (images.first { $0.names.contains(reference) } ?? image(like: reference)).flatMap(supplied)
    }

    /// Every image that has a name.
    var all: [ChosenImage] {
        images.filter { !$0.names.isEmpty }.compactMap { image in
            supplied(image).map { ChosenImage(names: image.names, needs: [], image: $0) }
        }
    }

    private func supplied(_ image: ArchivedImage) -> SuppliedImage? {
        guard let target = image.blobs.first(where: { $0.digest == image.target }), let source = sources[image.archive]
        else { return nil }
        var documents: [Digest: [UInt8]] = [:]
        if let text = image.composedManifest { documents[Digest(of: text)] = text }
        return SuppliedImage(
            target: target, mediaType: image.mediaType, config: image.config, blobs: image.blobs,
            layers: Set(image.layers.map(\.blob.digest)), documents: documents, bytes: .pass(source))
    }

    /// By its digest; or the same path and tag from another registry, as sites carry Calico from quay.io.
    private func image(like reference: ImageReference) -> ArchivedImage? {
        if let digest = reference.digest { return images.first { $0.target == digest } }
        return images.first { $0.names.contains { ($0.repository, $0.tag) == (reference.repository, reference.tag) } }
    }
}
