import FoundationEssentials
import Images

/// Finds out what an image is made of, where its contents can be asked for by digest.
struct ImageByDigest {
    /// As messages name it.
    var name: String
    /// The whole document; nil where there is none.
    var document: @Sendable (Descriptor) async throws -> [UInt8]

    /// - Parameter top: what the name means, of which the bytes are known.
    func image(
        _ top: Descriptor, _ bytes: [UInt8],
        each: @escaping @Sendable (WantedBlob, @escaping @Sendable ([UInt8]) throws -> Void) async throws -> Void
    ) async throws -> SuppliedImage {
        var descriptor = top
        var documents = [top.digest: bytes]
        var blobs = [Blob(digest: top.digest, size: top.size)]
        // Indexes inside of indexes: two are known to occur.
        for _ in 0..<4 {
            let manifest = try read(ManifestDocument.self, documents[descriptor.digest] ?? [], "its manifest")
            if let manifests = manifest.manifests {
                guard let next = manifests.fitting else {
                    let platforms = Set(manifests.compactMap(\.platform?.description)).sorted()
                    throw BundleFault(
                        "\(name) is for \(platforms.joined(separator: ", ")), and only \(Platform.linuxAMD64) runs here: "
                            + "name an image in the config that is built for it")
                }
                descriptor = next
                documents[next.digest] = try await document(next)
                blobs.append(Blob(digest: next.digest, size: next.size))
                continue
            }
            guard let configured = manifest.config, let layers = manifest.layers else {
                throw BundleFault("\(name) is neither an index nor a manifest, but '\(manifest.mediaType ?? "?")'")
            }
            let text = try await document(configured)
            let config = try read(ConfigDocument.self, text, "its config")
            try check(config, layers)
            documents[configured.digest] = text
            blobs += ([configured] + layers).map { Blob(digest: $0.digest, size: $0.size) }
            var seen: Set<Digest> = []
            return SuppliedImage(
                target: blobs[0], mediaType: top.mediaType ?? manifest.mediaType ?? MediaType.manifest,
                config: configured.digest, blobs: blobs.filter { seen.insert($0.digest).inserted },
                layers: Set(layers.map(\.digest)), documents: documents, bytes: .each(each))
        }
        throw BundleFault("the indexes of \(name) are nested too deep")
    }

    private func check(_ config: ConfigDocument, _ layers: [Descriptor]) throws(BundleFault) {
        let platform = Platform(os: config.os, architecture: config.architecture)
        guard platform == .linuxAMD64 else {
            throw BundleFault("\(name) is for \(platform), and only \(Platform.linuxAMD64) runs here")
        }
        guard config.rootfs.diffIDs.count == layers.count else {
            throw BundleFault("\(name) has \(layers.count) layers, its config \(config.rootfs.diffIDs.count)")
        }
        // Docker calls such layers foreign; they may not be passed on, and are for Windows alone.
        if let foreign = layers.first(where: { $0.mediaType?.contains("foreign") == true }) {
            throw BundleFault("\(name) has the foreign layer \(foreign.digest), which no registry gives away")
        }
        let sizes = layers.map(\.size)
        guard sizes.allSatisfy({ (0...(1 << 44)).contains($0) }) else {
            throw BundleFault("\(name) claims a layer of \(sizes.max() ?? 0) bytes")
        }
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], _ what: String) throws(BundleFault)
        -> Value
    {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw BundleFault("\(name): \(what) is not what it should be")
        }
    }
}
