import FoundationEssentials
import Images
import SystemPackage

/// Follows the image layout from index.json down: each image is what bundle.json says, and all of it is there.
struct LayoutProof {
    private(set) var damages: [Damage] = []
    private(set) var contradictions: [BundleFault] = []
    private let folder: BundleFolder
    private let omitted: Set<Digest>
    /// A document could not be read, for damage or a volume that is missing.
    private var isBlind = false

    /// In bytes: manifests and configs have some thousands.
    private static let largest: Int64 = 8 << 20

    init(_ folder: BundleFolder) {
        self.folder = folder
        omitted = Set(folder.description.omitted.map(\.digest))
        guard folder.file("images/index.json") != nil || !folder.description.images.isEmpty else { return }
        prove()
    }

    private mutating func prove() {
        guard let index = document(ManifestDocument.self, at: "images/index.json") else { return }
        guard let entries = index.manifests else { return contradict("images/index.json lists no images") }
        var names: [Digest: Set<String>] = [:]
        for entry in entries {
            names[entry.digest, default: []].formUnion(
                [entry.annotations?["io.containerd.image.name"]].compactMap(\.self))
        }
        let images = Dictionary(folder.description.images.map { ($0.digest, $0) }) { one, _ in one }
        for digest in names.keys.sorted(by: { $0.hex < $1.hex }) where images[digest] == nil {
            contradict("images/index.json has an image \(digest) that bundle.json does not have")
        }
        for image in folder.description.images {
            let name = image.names.first ?? image.digest.description
            guard let found = names[image.digest], let entry = entries.first(where: { $0.digest == image.digest })
            else {
                contradict("images/index.json lacks \(name)")
                continue
            }
            if found != Set(image.names) {
                contradict("images/index.json has other names for \(name) than bundle.json")
            }
            var blobs: Set<Digest> = []
            follow(entry, of: name, depth: 4, &blobs)
            // Nothing can be said of what is behind a document that cannot be read.
            if !isBlind, blobs != Set(image.blobs.map(\.digest)) {
                contradict("the blobs of \(name) are others than bundle.json says")
            }
        }
    }

    /// An index down to its manifest for the platform, a manifest down to its config and layers.
    private mutating func follow(_ descriptor: Descriptor, of image: String, depth: Int, _ blobs: inout Set<Digest>) {
        guard depth > 0 else { return contradict("the indexes of \(image) are nested too deep") }
        blobs.insert(descriptor.digest)
        guard isThere(descriptor, of: image), let document = document(ManifestDocument.self, descriptor) else { return }
        if let manifests = document.manifests {
            guard let next = manifests.fitting else {
                return contradict("\(image) is not for \(folder.description.platform)")
            }
            return follow(next, of: image, depth: depth - 1, &blobs)
        }
        guard let config = document.config, let layers = document.layers else {
            return contradict("\(image) has neither an index nor a manifest")
        }
        for part in [config] + layers where blobs.insert(part.digest).inserted { _ = isThere(part, of: image) }
        guard let text = self.document(ConfigDocument.self, config) else { return }
        let platform = Platform(os: text.os, architecture: text.architecture)
        if platform != folder.description.platform {
            contradict("\(image) is for \(platform), and the bundle for \(folder.description.platform)")
        }
        if text.rootfs.diffIDs.count != layers.count {
            contradict("\(image) has \(layers.count) layers, and its config \(text.rootfs.diffIDs.count)")
        }
    }

    private mutating func isThere(_ descriptor: Descriptor, of image: String) -> Bool {
        guard let file = folder.file(of: descriptor.digest) else {
            if !omitted.contains(descriptor.digest) {
                contradict("\(image) lacks its blob \(descriptor.digest): make the bundle again")
            }
            return false
        }
        if file.size != descriptor.size {
            contradict("\(image) wants \(descriptor.size) bytes of \(descriptor.digest), which has \(file.size)")
        }
        return file.size == descriptor.size
    }

    private mutating func document<Value: Decodable>(_ type: Value.Type, _ descriptor: Descriptor) -> Value? {
        folder.file(of: descriptor.digest).flatMap { document(type, at: $0.path) }
    }

    /// Nil where the listing or the check of bytes has something to say of it, or it is refused.
    private mutating func document<Value: Decodable>(_ type: Value.Type, at path: String) -> Value? {
        guard let file = folder.file(path) else {
            contradict("bundle.json has images, and no \(path)")
            return nil
        }
        guard file.size <= Self.largest else {
            contradict("\(path) has \(file.size) bytes, more than any document of an image")
            return nil
        }
        var reader = SpanReader(folder.pieces)
        var bytes: [UInt8] = []
        let span = Span(file: file, chunk: 0, bytes: 0..<file.size, before: .start, after: nil)
        guard reader.read(span, { bytes += $0 }) == .whole else {
            isBlind = true
            return nil
        }
        guard Digest(of: bytes) == file.sha256 else {
            isBlind = true
            if file.size <= Chunk.size { damages.append(.chunk(path, index: 0, bytes: 0..<file.size)) }
            return nil
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            contradict("\(path) is no document of an image")
            return nil
        }
    }

    private mutating func contradict(_ text: String) { contradictions.append(BundleFault(text)) }
}
