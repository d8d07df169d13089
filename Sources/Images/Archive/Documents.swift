import FoundationEssentials

/// The JSON of images: OCI image-spec 1.1, and Docker's manifest.json. Only what we read.
package struct Descriptor: Codable, Hashable, Sendable {
    package struct Platform: Codable, Hashable, Sendable {
        package var os: String
        package var architecture: String
        package var variant: String?
    }
    package var mediaType: String?
    package var digest: Digest
    package var size: Int64
    package var platform: Platform?
    package var annotations: [String: String]?

    package init(
        mediaType: String?, digest: Digest, size: Int64, platform: Platform? = nil,
        annotations: [String: String]? = nil
    ) {
        (self.mediaType, self.digest, self.size) = (mediaType, digest, size)
        (self.platform, self.annotations) = (platform, annotations)
    }
}

/// An index has `manifests`; a manifest has `config` and `layers`. Their media
/// types are optional in OCI 1.0, so the fields decide.
package struct ManifestDocument: Decodable, Sendable {
    package var mediaType: String?
    /// What an artifact is, which is no image (OCI 1.1).
    package var artifactType: String?
    package var manifests: [Descriptor]?
    package var config: Descriptor?
    package var layers: [Descriptor]?
}

package struct ConfigDocument: Decodable, Sendable {
    package struct RootFileSystem: Decodable, Sendable {
        package var diffIDs: [Digest]
        enum CodingKeys: String, CodingKey { case diffIDs = "diff_ids" }
    }
    package var os: String
    package var architecture: String
    package var rootfs: RootFileSystem
    /// RFC 3339; images made by hand may lack it.
    package var created: String?
}

/// One image of Docker's manifest.json.
struct DockerImage: Decodable {
    var config: String
    var repoTags: [String]?
    var layers: [String]
    enum CodingKeys: String, CodingKey {
        case config = "Config"
        case repoTags = "RepoTags"
        case layers = "Layers"
    }
}

package enum MediaType {
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    static let config = "application/vnd.oci.image.config.v1+json"
    static let layer = "application/vnd.oci.image.layer.v1.tar"

    private static let docker = "application/vnd.docker."
    static let indexes = [index, docker + "distribution.manifest.list.v2+json"]
    static let manifests = [manifest, docker + "distribution.manifest.v2+json"]
    static let configs = [config, docker + "container.image.v1+json"]

    static func isLayer(_ type: String) -> Bool {
        let plain = [".gzip", "+gzip", "+zstd", ".zstd"].first { type.hasSuffix($0) }.map { type.dropLast($0.count) }
        return [
            layer, "application/vnd.oci.image.layer.nondistributable.v1.tar", docker + "image.rootfs.diff.tar",
            docker + "image.rootfs.foreign.diff.tar",
        ].contains(String(plain ?? type[...]))
    }

    /// A layer that may not be passed on: tools leave it out of archives.
    static func isForeign(_ type: String) -> Bool { type.contains(".nondistributable.") || type.contains(".foreign.") }
}

extension [Descriptor] {
    /// The one of an index for our platform: the first that says linux/amd64; one that says no platform only where none does.
    package var fitting: Descriptor? {
        let images = filter { !$0.isAttestation }
        return images.first { $0.platform?.fits == true } ?? images.first { $0.platform == nil }
    }
}

extension Descriptor {
    /// What buildkit puts beside an image: signatures and the like, for no platform.
    package var isAttestation: Bool {
        annotations?["vnd.docker.reference.type"] != nil || platform?.os == "unknown"
    }
}

extension Descriptor.Platform: CustomStringConvertible {
    package var description: String { "\(os)/\(architecture)" }

    /// Variants above v1 need newer processors (x86-64-v2 and so on).
    package var fits: Bool {
        os == "linux" && architecture == "amd64" && ["", "v1"].contains(variant ?? "")
    }
}

extension Members {
    func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws(ImageError) -> Value {
        let bytes = try document(name)
        if let fault = JSONText.fault(in: bytes) { throw error("'\(name)' is not what it should be: \(fault)") }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let fault as DecodingError {
            throw error("'\(name)' is not what it should be: \(fault.inOneLine)")
        } catch {
            throw self.error("'\(name)' is not what it should be: \(error)")
        }
    }
}

extension DecodingError {
    fileprivate var inOneLine: String {
        func text(_ context: Context) -> String {
            let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
        }
        switch self {
        case .keyNotFound(let key, let context): return "no '\(key.stringValue)' (\(text(context)))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return text(context)
        @unknown default: return "it cannot be decoded"
        }
    }
}
