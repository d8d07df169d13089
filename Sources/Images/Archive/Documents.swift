import FoundationEssentials

/// The JSON of images: OCI image-spec 1.1, and Docker's manifest.json. Only what we read.
struct Descriptor: Codable, Hashable {
    struct Platform: Codable, Hashable {
        var os: String
        var architecture: String
        var variant: String?
    }
    var mediaType: String?
    var digest: Digest
    var size: Int64
    var platform: Platform?
    var annotations: [String: String]?
}

/// An index has `manifests`; a manifest has `config` and `layers`. Their media
/// types are optional in OCI 1.0, so the fields decide.
struct ManifestDocument: Decodable {
    var mediaType: String?
    var manifests: [Descriptor]?
    var config: Descriptor?
    var layers: [Descriptor]?
}

struct ConfigDocument: Decodable {
    struct RootFileSystem: Decodable {
        var diffIDs: [Digest]
        enum CodingKeys: String, CodingKey { case diffIDs = "diff_ids" }
    }
    var os: String
    var architecture: String
    var rootfs: RootFileSystem
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

enum MediaType {
    static let index = "application/vnd.oci.image.index.v1+json"
    static let manifest = "application/vnd.oci.image.manifest.v1+json"
    static let config = "application/vnd.oci.image.config.v1+json"
    static let layer = "application/vnd.oci.image.layer.v1.tar"
}

extension ArchiveContents {
    func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws(ImageError) -> Value {
        let bytes = try document(name)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let fault as DecodingError {
            throw error("'\(name)' is not what it should be: \(fault.inOneLine)")
        } catch {
            throw self.error("'\(name)' is not what it should be: \(error)".replacing("\n", with: " "))
        }
    }
}

extension DecodingError {
    fileprivate var inOneLine: String {
        func text(_ context: Context) -> String {
            let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
            let said = context.debugDescription.replacing("\n", with: " ")
            return place.isEmpty ? said : "\(place): \(said)"
        }
        switch self {
        case .keyNotFound(let key, let context): return "no '\(key.stringValue)' (\(text(context)))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return text(context)
        @unknown default: return "it cannot be decoded"
        }
    }
}
