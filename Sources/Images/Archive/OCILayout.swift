/// An OCI image layout: a directory, or a tar of one, which is what skopeo,
/// buildkit, containerd and, from version 25, `docker save` write.
extension Members {
    func ociImages() throws(ImageError) -> [ArchivedImage] {
        if has("oci-layout") {
            let version = try decode(LayoutDocument.self, "oci-layout").imageLayoutVersion
            guard version.hasPrefix("1.") else { throw error("it is an OCI layout of version \(version), and not 1") }
        }
        var found = Gathering()
        var elsewhere: [(platform: String, names: [ImageReference])] = []
        var artifacts: [String] = []
        for entry in try decode(ManifestDocument.self, "index.json").manifests ?? [] where !entry.isAttestation {
            let names = try names(of: entry)
            let title = names.first.map { "'\($0)'" } ?? "its image \(entry.digest.short)"
            switch try ociImage(entry, title, &found) {
            case .here(let image): found.add(image, names)
            case .elsewhere(let platform): elsewhere.append((platform, names))
            case .artifact(let type): artifacts.append(type)
            }
        }
        // A name may stand several times, once a platform.
        for (platform, names) in elsewhere {
            let isCovered = !names.isEmpty && found.names.isSuperset(of: names)
            if !isCovered, found.images.isEmpty || !names.isEmpty {
                let what = names.first.map { "'\($0)'" } ?? "its image"
                throw error("\(what) is for \(platform), and only \(Platform.linuxAMD64) runs here")
            }
        }
        guard !found.images.isEmpty else {
            throw error("index.json lists no image" + (artifacts.first.map { ", but an artifact (\($0))" } ?? ""))
        }
        if has("manifest.json") { try addDockerNames(to: &found) }
        return found.images
    }

    /// `title` is what messages call it.
    private func ociImage(
        _ top: Descriptor, _ title: String, _ gathering: inout Gathering
    ) throws(ImageError) -> Found {
        var descriptor = top
        var blobs: [Blob] = []
        var members: [Digest: String] = [:]
        // Indexes inside of indexes: two are known to occur.
        for _ in 0..<4 {
            if let platform = descriptor.platform, !platform.fits { return .elsewhere(platform.description) }
            if let type = descriptor.mediaType, !(MediaType.indexes + MediaType.manifests).contains(type) {
                return .artifact(type)
            }
            let (name, document) = try manifest(descriptor)
            try pay(descriptor.size, &gathering)
            let manifest = Blob(digest: descriptor.digest, size: descriptor.size)
            blobs.append(manifest)
            members[descriptor.digest] = name
            switch document {
            case .index(let manifests):
                guard let next = manifests.fitting else {
                    let platforms = Set(manifests.compactMap(\.platform?.description)).sorted()
                    return .elsewhere(platforms.isEmpty ? "no platform" : platforms.joined(separator: ", "))
                }
                descriptor = next
            case .artifact(let type): return .artifact(type)
            case .image(let config, let layers):
                let (configName, configBlob) = try blob(config)
                try pay(configBlob.size, &gathering)
                try prove(configName, config)
                let description = try decode(ConfigDocument.self, configName)
                let platform = Platform(os: description.os, architecture: description.architecture)
                if platform != .linuxAMD64 { return .elsewhere(platform.description) }
                let differences = description.rootfs.diffIDs
                guard differences.count == layers.count else {
                    throw error("'\(name)' lists \(layers.count) layers, its config \(differences.count)")
                }
                blobs.append(configBlob)
                members[configBlob.digest] = configName
                var unpacked: [Layer] = []
                for (layer, difference) in zip(layers, differences) {
                    let (layerName, layerBlob) = try self.layer(layer, of: title)
                    blobs.append(layerBlob)
                    members[layerBlob.digest] = layerName
                    let mediaType = layer.mediaType ?? MediaType.layer
                    unpacked.append(Layer(blob: layerBlob, mediaType: mediaType, difference: difference))
                }
                return .here(
                    ArchivedImage(
                        names: [], target: top.digest, platform: platform, config: configBlob.digest,
                        blobs: Self.once(blobs), archive: path, layout: layout,
                        source: ArchivedImage.Source(
                            mediaType: top.mediaType ?? (blobs[0] == manifest ? MediaType.manifest : MediaType.index),
                            manifest: manifest, manifestType: descriptor.mediaType ?? MediaType.manifest,
                            members: members, layers: unpacked)))
            }
        }
        throw error("the indexes of \(title) are nested too deep")
    }

    /// containerd's and Docker's annotation is the whole name; OCI's own is
    /// often the tag alone, which names nothing.
    private func names(of entry: Descriptor) throws(ImageError) -> [ImageReference] {
        if let name = entry.annotations?["io.containerd.image.name"] { return try names([name]) }
        let name = entry.annotations?["org.opencontainers.image.ref.name"] ?? ""
        return name.contains("/") || name.contains(":") ? try names([name]) : []
    }

    /// Docker lists the names in manifest.json, too, sometimes only there.
    private func addDockerNames(to found: inout Gathering) throws(ImageError) {
        let byConfig = Dictionary(grouping: found.images, by: \.config.hex)
        for saved in try decode([DockerImage].self, "manifest.json") {
            let images = byConfig[saved.config.split(separator: "/").last.map(String.init) ?? ""] ?? []
            for name in try names(saved.repoTags ?? []) where !found.names.contains(name) {
                for image in images { found.name(image.target, name) }
            }
        }
    }
}

/// What an entry of index.json leads to.
private enum Found {
    case here(ArchivedImage)
    /// For other platforms only, which these are.
    case elsewhere(String)
    /// A signature, a list of materials, a chart: stored like an image, and none.
    case artifact(String)
}

private struct LayoutDocument: Decodable {
    var imageLayoutVersion: String
}
