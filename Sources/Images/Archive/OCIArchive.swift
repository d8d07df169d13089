/// An OCI image layout in a tar: what skopeo, buildkit, containerd and, from
/// version 25, `docker save` write.
extension ArchiveContents {
    func ociImages() throws(ImageError) -> [ArchivedImage] {
        var images: [ArchivedImage] = []
        var elsewhere: [(platform: String, names: [ImageReference])] = []
        for entry in try decode(ManifestDocument.self, "index.json").manifests ?? [] where !entry.isAttestation {
            let names = try names(of: entry)
            switch try ociImage(entry) {
            case .here(var image):
                if let same = images.firstIndex(where: { $0.target == image.target }) {
                    images[same].names += names.filter { !images[same].names.contains($0) }
                } else {
                    image.names = names
                    images.append(image)
                }
            case .elsewhere(let platform): elsewhere.append((platform, names))
            }
        }
        // A name may stand several times, once a platform.
        for (platform, names) in elsewhere {
            let isCovered = !names.isEmpty && names.allSatisfy { name in images.contains { $0.names.contains(name) } }
            if !isCovered, images.isEmpty || !names.isEmpty {
                let what = names.first.map { "'\($0)'" } ?? "its image"
                throw error("\(what) is for \(platform), and only \(Platform.linuxAMD64) runs here")
            }
        }
        guard !images.isEmpty else { throw error("index.json lists no image") }
        return has("manifest.json") ? try withDockerNames(images) : images
    }

    private enum Found {
        case here(ArchivedImage)
        /// For other platforms only, which these are.
        case elsewhere(String)
    }

    private func ociImage(_ top: Descriptor) throws(ImageError) -> Found {
        var descriptor = top
        var blobs: [Blob] = []
        var members: [Digest: String] = [:]
        // Indexes inside of indexes: two are known to occur.
        for _ in 0..<4 {
            if let platform = descriptor.platform, !platform.fits { return .elsewhere(platform.description) }
            let (name, document) = try manifest(descriptor)
            let manifest = Blob(digest: descriptor.digest, size: descriptor.size)
            blobs.append(manifest)
            members[descriptor.digest] = name
            if let manifests = document.manifests {
                let platforms = manifests.compactMap(\.platform?.description)
                guard let next = manifests.fitting else {
                    return .elsewhere(Set(platforms).sorted().joined(separator: ", "))
                }
                descriptor = next
                continue
            }
            guard let config = document.config, let layers = document.layers else {
                throw error("'\(name)' is neither an index nor a manifest")
            }
            let (configName, configBlob) = try blob(config)
            try prove(configName, config)
            let description = try decode(ConfigDocument.self, configName)
            let platform = Platform(os: description.os, architecture: description.architecture)
            if platform != .linuxAMD64 { return .elsewhere(platform.description) }
            guard description.rootfs.diffIDs.count == layers.count else {
                throw error("'\(name)' lists \(layers.count) layers, its config \(description.rootfs.diffIDs.count)")
            }
            blobs.append(configBlob)
            members[configBlob.digest] = configName
            var unpacked: [Layer] = []
            for (layer, difference) in zip(layers, description.rootfs.diffIDs) {
                let (layerName, layerBlob) = try blob(layer)
                blobs.append(layerBlob)
                members[layerBlob.digest] = layerName
                let mediaType = layer.mediaType ?? MediaType.layer
                unpacked.append(Layer(blob: layerBlob, mediaType: mediaType, difference: difference))
            }
            return .here(
                ArchivedImage(
                    names: [], target: top.digest, platform: platform, config: configBlob.digest,
                    blobs: Self.once(blobs), archive: archive,
                    source: ArchivedImage.Source(
                        mediaType: top.mediaType ?? (blobs[0] == manifest ? MediaType.manifest : MediaType.index),
                        manifest: manifest, manifestType: descriptor.mediaType ?? MediaType.manifest,
                        members: members, layers: unpacked)))
        }
        throw error("the indexes of \(top.digest) are nested too deep")
    }

    private func manifest(_ descriptor: Descriptor) throws(ImageError) -> (String, ManifestDocument) {
        let (name, _) = try blob(descriptor)
        try prove(name, descriptor)
        return (name, try decode(ManifestDocument.self, name))
    }

    private func blob(_ descriptor: Descriptor) throws(ImageError) -> (String, Blob) {
        let (name, entry) = try file("blobs/sha256/" + descriptor.digest.hex)
        guard entry.size == descriptor.size else {
            throw error("'\(name)' has \(entry.size) bytes and should have \(descriptor.size)")
        }
        return (name, Blob(digest: descriptor.digest, size: descriptor.size))
    }

    private func prove(_ name: String, _ descriptor: Descriptor) throws(ImageError) {
        let found = Digest(of: try document(name))
        guard found == descriptor.digest else {
            throw error("'\(name)' is damaged: expected \(descriptor.digest), found \(found)")
        }
    }

    /// containerd's and Docker's annotation is the whole name; OCI's own is
    /// often the tag alone, which names nothing.
    private func names(of entry: Descriptor) throws(ImageError) -> [ImageReference] {
        if let name = entry.annotations?["io.containerd.image.name"] { return try names([name]) }
        let name = entry.annotations?["org.opencontainers.image.ref.name"] ?? ""
        return name.contains("/") || name.contains(":") ? try names([name]) : []
    }

    /// Docker lists the names in manifest.json, too, sometimes only there.
    private func withDockerNames(_ images: [ArchivedImage]) throws(ImageError) -> [ArchivedImage] {
        var images = images
        for saved in try decode([DockerImage].self, "manifest.json") {
            let config = saved.config.split(separator: "/").last.map(String.init) ?? ""
            let isKnown = images.contains { image in image.config.hex == config }
            for name in try names(saved.repoTags ?? []) where isKnown {
                if images.contains(where: { $0.names.contains(name) }) { continue }
                for index in images.indices where images[index].config.hex == config {
                    images[index].names.append(name)
                }
            }
        }
        return images
    }
}
