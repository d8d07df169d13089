import Crypto

/// What containerd's garbage collection goes by: labels say what refers to what.
/// They are spelled as containerd's own client spells them (images/handlers.go, unpacker.go).
enum Links {
    static let content = "containerd.io/gc.ref.content."
    static let snapshot = "containerd.io/gc.ref.snapshot."

    /// Those of `wanted` that refer to something that `labels` do not, under keys that are free.
    static func missing(_ wanted: [String: String], from labels: [String: String]) -> [String: String] {
        var missing: [String: String] = [:]
        for (key, value) in wanted where !labels.contains(where: { $0.value == value && $0.key.isLink }) {
            missing[labels[key] == nil ? key : "\(key).\(value.suffix(12))"] = value
        }
        return missing
    }
}

extension String {
    fileprivate var isLink: Bool { hasPrefix(Links.content) || hasPrefix(Links.snapshot) }
}

extension ArchivedImage {
    /// The names of what the layers unpack to, each on those below it (image-spec, config.md, "Layer ChainID").
    var chain: [Digest] {
        var chain: [Digest] = []
        for layer in layers {
            let below = chain.last
            chain.append(below.map { Digest(of: "\($0) \(layer.difference)".utf8) } ?? layer.difference)
        }
        return chain
    }

    /// The labels of each blob that refers to others.
    func links(with snapshotter: String) -> [Digest: [String: String]] {
        var links: [Digest: [String: String]] = [:]
        // Indexes come first, each before what is meant in it.
        let path = blobs.prefix { $0 != source.manifest } + [source.manifest]
        for (parent, child) in zip(path, path.dropFirst()) {
            links[parent.digest] = [Links.content + "m.0": child.digest.description]
        }
        var children = [Links.content + "config": config.description]
        for (number, layer) in layers.enumerated() {
            children[Links.content + "l.\(number)"] = layer.blob.digest.description
        }
        links[source.manifest.digest] = children
        if let top = chain.last { links[config] = [Links.snapshot + snapshotter: top.description] }
        return links
    }

    /// What the name is to mean: a name with a digest may mean the index or the manifest in it.
    func target(for name: ImageReference) -> (blob: Blob, mediaType: String)? {
        guard let top = blobs.first(where: { $0.digest == target }) else { return nil }
        guard let digest = name.digest, digest != target else { return (top, source.mediaType) }
        return digest == source.manifest.digest ? (source.manifest, source.manifestType) : nil
    }
}
