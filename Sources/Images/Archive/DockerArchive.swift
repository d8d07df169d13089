/// What `docker save` wrote before version 25: configs, layers and the list of
/// them, but no manifest. The manifest is composed, always with the same bytes:
/// those that Docker 25 and later save for the same image, so that both have one digest.
extension ArchiveContents {
    func dockerImages() throws(ImageError) -> [ArchivedImage] {
        var found = Gathering()
        for saved in try decode([DockerImage].self, "manifest.json") {
            let image = try dockerImage(saved, &found)
            found.add(image, try names(saved.repoTags ?? []))
        }
        guard !found.images.isEmpty else { throw error("manifest.json lists no image") }
        return found.images
    }

    private func dockerImage(_ saved: DockerImage, _ gathering: inout Gathering) throws(ImageError) -> ArchivedImage {
        let configName = try inside(saved.config)
        let (config, size) = try file(configName)
        try pay(size, &gathering)
        let configBlob = Blob(digest: Digest(of: try document(config)), size: size)
        let stem = configName.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
        if let named = Digest(hex: String(stem)), named != configBlob.digest {
            throw error("'\(config)' is damaged: expected \(named), found \(configBlob.digest)")
        }
        let description = try decode(ConfigDocument.self, config)
        let differences = description.rootfs.diffIDs
        guard differences.count == saved.layers.count else {
            throw error("manifest.json lists \(saved.layers.count) layers, '\(config)' \(differences.count)")
        }

        var layers: [Layer] = []
        var members = [configBlob.digest: config]
        var sizes = [configBlob.digest: configBlob.size]
        var digests = [config: configBlob.digest]
        for (layer, difference) in zip(saved.layers, differences) {
            let (name, entry) = try entry(try inside(layer))
            let digest = entry.compressed?.digest ?? difference
            let size = sizes.updateValue(entry.size, forKey: digest) ?? entry.size
            guard size == entry.size, (digests.updateValue(digest, forKey: name) ?? digest) == digest else {
                throw error("'\(config)' gives layer \(digest.short) two files, or '\(name)' two layers")
            }
            let mediaType = MediaType.layer + (entry.compressed.map { "+" + $0.type } ?? "")
            layers.append(
                Layer(blob: Blob(digest: digest, size: entry.size), mediaType: mediaType, difference: difference))
            members[digest] = members[digest] ?? name
        }
        let text = Self.manifest(config: configBlob, layers: layers)
        let manifest = Blob(digest: Digest(of: text.utf8), size: Int64(text.utf8.count))
        return ArchivedImage(
            names: [], target: manifest.digest,
            platform: try platform(of: description, config), config: configBlob.digest,
            blobs: Self.once([manifest, configBlob] + layers.map(\.blob)), archive: path,
            source: ArchivedImage.Source(
                mediaType: MediaType.manifest, manifest: manifest, manifestType: MediaType.manifest,
                members: members, layers: layers, composed: text))
    }

    /// In the order of keys of Go's image-spec types. Nothing in it needs escaping.
    private static func manifest(config: Blob, layers: [Layer]) -> String {
        func descriptor(_ type: String, _ blob: Blob) -> String {
            #"{"mediaType":"\#(type)","digest":"\#(blob.digest)","size":\#(blob.size)}"#
        }
        let all = layers.map { descriptor($0.mediaType, $0.blob) }
        return #"{"schemaVersion":2,"mediaType":"\#(MediaType.manifest)","config":"#
            + descriptor(MediaType.config, config) + #","layers":["# + all.joined(separator: ",") + "]}"
    }

    /// Names in manifest.json are those of members, which were made normal.
    private func inside(_ name: String) throws(ImageError) -> String {
        let parts = name.split(separator: "/").filter { $0 != "." }
        guard !name.hasPrefix("/"), !parts.contains("..") else {
            throw error("manifest.json asks for '\(name)', which is outside of the archive")
        }
        return parts.joined(separator: "/")
    }

    private func platform(of config: ConfigDocument, _ name: String) throws(ImageError) -> Platform {
        let platform = Platform(os: config.os, architecture: config.architecture)
        guard platform == .linuxAMD64 else {
            throw error("'\(name)' is for \(platform), and only \(Platform.linuxAMD64) runs here")
        }
        return platform
    }
}
