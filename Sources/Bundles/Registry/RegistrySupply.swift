import HTTP
package import Images

/// The images of the registries that their names say.
package struct RegistrySupply: ImageSupply {
    package let name = "the registry"
    private let client: RegistryClient

    package init(_ client: RegistryClient) { self.client = client }

    package func image(_ reference: ImageReference) async throws -> SuppliedImage? {
        let place = client.access.place(of: reference)
        let named = reference.digest.map(\.description) ?? reference.tag ?? "latest"
        let top = try await client.manifest(named, of: place, size: nil)
        let parts = ImageByDigest(name: "\(reference) from \(place.host)") { descriptor in
            switch descriptor.mediaType {
            case let type? where type.contains("manifest") || type.contains("index"):
                try await client.manifest("\(descriptor.digest)", of: place, size: descriptor.size).bytes
            default: try await client.document(descriptor, of: place)
            }
        }
        return try await parts.image(top.descriptor, top.bytes) { wanted, take in
            try await client.blob(wanted, of: place, take: take)
        }
    }
}

extension RegistryClient {
    /// What a registry may answer; without this it would translate into what the oldest of clients know.
    static let manifestTypes = [
        MediaType.index, MediaType.manifest, "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]

    /// An index or a manifest, by tag or by digest; proved where that is a digest.
    func manifest(
        _ named: String, of place: RegistryPlace, size: Int64?
    ) async throws -> (descriptor: Descriptor, bytes: [UInt8]) {
        let text = KeptText(upTo: size ?? KeptText.largest)
        let answer = try await fetch(
            "the manifest '\(named)'", of: place, at: place.url("manifests", named),
            accept: Self.manifestTypes.joined(separator: ", "), size: size
        ) { try text.take($0) }
        let type = answer.headers["content-type"].map { String($0.prefix { $0 != ";" }) }
        if let type, type.contains("docker.distribution.manifest.v1") {
            throw BundleFault(
                "\(place.image) has a manifest of Docker's schema 1, which says too little: push it again")
        }
        let found = Digest(of: text.bytes)
        let said = named.contains(":") ? named : answer.headers["docker-content-digest"]
        guard said == nil || said == "\(found)" else { throw damaged(place, "the manifest '\(named)'", found) }
        let mediaType = type.flatMap { Self.manifestTypes.contains($0) ? $0 : nil }
        return (Descriptor(mediaType: mediaType, digest: found, size: Int64(text.bytes.count)), text.bytes)
    }

    /// A config, whole.
    func document(_ descriptor: Descriptor, of place: RegistryPlace) async throws -> [UInt8] {
        let what = "the config \(descriptor.digest)"
        let text = try KeptText(of: descriptor, "\(place.image): \(what)")
        _ = try await fetch(
            what, of: place, at: place.url("blobs", "\(descriptor.digest)"), size: descriptor.size
        ) { try text.take($0) }
        let found = Digest(of: text.bytes)
        guard found == descriptor.digest else { throw damaged(place, what, found) }
        return text.bytes
    }

    /// Hands over a blob's bytes from its offset on. They are not proved: who stores them compares the digest.
    func blob(
        _ wanted: WantedBlob, of place: RegistryPlace, take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws {
        _ = try await fetch(
            "the layer \(wanted.blob.digest)", of: place, at: place.url("blobs", "\(wanted.blob.digest)"),
            from: wanted.offset, size: wanted.blob.size, take: take)
    }

    private func damaged(_ place: RegistryPlace, _ what: String, _ found: Digest) -> RegistryError {
        RegistryError(
            place, what, "its bytes have the digest \(found)",
            fix: "something on the way changes them, or the registry is damaged: fetch it from another")
    }
}
