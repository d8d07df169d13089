/// What a manifest's fields make of it.
enum Manifest {
    case index([Descriptor])
    case image(config: Descriptor, layers: [Descriptor])
    /// Not an image; what else, in its own words.
    case artifact(String)
}

extension Members {
    /// The text that the descriptor means, proved by its digest.
    func manifest(_ descriptor: Descriptor) throws(ImageError) -> (name: String, Manifest) {
        let (name, _) = try blob(descriptor)
        try prove(name, descriptor)
        let document = try decode(ManifestDocument.self, name)
        if let said = document.mediaType, let expected = descriptor.mediaType, said != expected {
            throw error("'\(name)' says that it is \(said), and what names it says \(expected)")
        }
        // Readers that go by one field or by the other would see two images (CVE-2021-41190).
        if document.manifests != nil, document.layers != nil || document.config != nil {
            throw error("'\(name)' is an index and a manifest at once")
        }
        let type = document.mediaType ?? descriptor.mediaType ?? ""
        if let manifests = document.manifests, !MediaType.manifests.contains(type) { return (name, .index(manifests)) }
        guard let config = document.config, let layers = document.layers, !MediaType.indexes.contains(type) else {
            throw error(
                "'\(name)' is neither an index nor a manifest" + (type.isEmpty ? "" : " as '\(type)' should be"))
        }
        if let artifact = document.artifactType ?? Self.artifact(config, layers) { return (name, .artifact(artifact)) }
        return (name, .image(config: config, layers: layers))
    }

    /// What kind of artifact it is, or nil for an image. cosign gives its signatures an image's
    /// config; what lies in the layers tells them apart.
    private static func artifact(_ config: Descriptor, _ layers: [Descriptor]) -> String? {
        if let type = config.mediaType, !MediaType.configs.contains(type) { return type }
        let types = layers.compactMap(\.mediaType)
        return types.contains(where: MediaType.isLayer) ? nil : types.first
    }

    func layer(_ layer: Descriptor, of title: String) throws(ImageError) -> (name: String, Blob) {
        let type = layer.mediaType ?? MediaType.layer
        guard MediaType.isLayer(type) else {
            throw error("layer \(layer.digest.short) of \(title) is of type '\(type)', which is no layer's")
        }
        if MediaType.isForeign(type), !has(Self.place(of: layer.digest)) {
            throw error(
                "layer \(layer.digest.short) of \(title) may not be passed on ('\(type)') and was left out; save the "
                    + "image with it, or use one without")
        }
        return try blob(layer)
    }

    func blob(_ descriptor: Descriptor) throws(ImageError) -> (name: String, Blob) {
        let (name, size) = try file(Self.place(of: descriptor.digest))
        guard size == descriptor.size else {
            throw error("'\(name)' has \(size) bytes and should have \(descriptor.size)")
        }
        return (name, Blob(digest: descriptor.digest, size: descriptor.size))
    }

    func prove(_ name: String, _ descriptor: Descriptor) throws(ImageError) {
        let found = Digest(of: try document(name))
        guard found == descriptor.digest else {
            throw error("'\(name)' is damaged: expected \(descriptor.digest), found \(found)")
        }
    }

    static func place(of digest: Digest) -> String { "blobs/sha256/" + digest.hex }
}
