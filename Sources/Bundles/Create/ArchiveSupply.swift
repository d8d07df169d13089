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

    /// Every image. The one that has no name gets this; who saves an image by its id, or with umoci, names none.
    func all(naming name: ImageReference?) throws(BundleFault) -> [ChosenImage] {
        let nameless = images.filter(\.names.isEmpty)
        let places = nameless.map { "\($0.archive) (\($0.target.short))" }.joined(separator: ", ")
        guard nameless.count < 2 else {
            throw BundleFault(
                "nothing could ask for the images that have no name, \(places): add each by itself with --name, or save "
                    + "them by their names")
        }
        guard nameless.isEmpty == (name == nil) else {
            throw BundleFault(
                nameless.isEmpty
                    ? "every image has a name already: leave --name away"
                    : "nothing could ask for the image that has no name, \(places): give it one, as in --name myorg/lab:1"
            )
        }
        return images.compactMap { image in
            let names = image.names.isEmpty ? [name].compactMap(\.self) : image.names
            return supplied(image).map { ChosenImage(names: names, needs: [], image: $0) }
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
