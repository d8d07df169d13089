/// What a content store says that it has.
package struct Holdings: Hashable, Sendable {
    package struct Record: Hashable, Sendable {
        package var digest: Digest
        package var labels: [String: String] = [:]

        package init(digest: Digest, labels: [String: String] = [:]) { (self.digest, self.labels) = (digest, labels) }

        /// The kubelet's garbage collection spares it.
        package var isPinned: Bool { Pin.label.allSatisfy { labels[$0.key] == $0.value } }
    }

    /// By name, as the store spells it.
    package var records: [String: Record] = [:]
    /// The labels of each blob that is there whole.
    package var content: [Digest: [String: String]] = [:]
    /// The chain ids of what is unpacked.
    package var snapshots: Set<Digest> = []
    /// What unpacks.
    package var snapshotter = Self.usualSnapshotter

    /// The kubelet's side of containerd takes it where its config names no other.
    static let usualSnapshotter = "overlayfs"

    package init() {}

    /// What it will have once this is loaded: so a plan for many images that
    /// share layers counts each layer once.
    package func adding(_ load: ImageLoad) -> Holdings {
        var sum = self
        for blob in load.image.blobs where sum.content[blob.digest] == nil { sum.content[blob.digest] = [:] }
        for (digest, links) in load.image.links(with: snapshotter) {
            let missing = Links.missing(links, from: sum.content[digest] ?? [:])
            sum.content[digest]?.merge(missing) { _, new in new }
        }
        sum.snapshots.formUnion(load.image.chain)
        for name in load.references {
            let target = load.image.target(for: name)?.blob.digest ?? load.image.target
            sum.records[name.description, default: Record(digest: target)].digest = target
            sum.records[name.description]?.labels.merge(Pin.label) { _, new in new }
        }
        return sum
    }
}

/// The label that keeps the kubelet's garbage collection away (containerd 1.7 on).
enum Pin {
    static let label = ["io.cri-containerd.pinned": "pinned"]
}

extension Holdings {
    /// What has to be done for the image to stand whole, unpacked and pinned
    /// under these names (its own, where none are given), or nil.
    package func lacks(_ image: ArchivedImage, as references: [ImageReference] = []) -> ImageLoad? {
        let names = references.isEmpty ? image.names : references
        let missing = image.blobs.filter { content[$0.digest] == nil }
        let packed = zip(image.layers, image.chain).filter { !snapshots.contains($0.1) }.map(\.0)
        var lacks: Set<ImageLoad.Lack> = missing.isEmpty ? [] : [.content]
        if !packed.isEmpty { lacks.insert(.unpacking) }
        let isLinked = image.links(with: snapshotter).allSatisfy { digest, links in
            content[digest].map { Links.missing(links, from: $0).isEmpty } ?? true
        }
        if !isLinked { lacks.insert(.links) }
        for name in names {
            if let record = records[name.description], record.digest == image.target(for: name)?.blob.digest {
                if !record.isPinned { lacks.insert(.pin) }
            } else {
                lacks.insert(.name)
            }
        }
        if names.isEmpty || lacks.isEmpty { return nil }
        return ImageLoad(image: image, references: names, missing: missing, packed: packed, lacks: lacks)
    }

    /// Whether all that the name leads to is there. What refers to what is in the labels: without
    /// them the store's garbage collection would have taken it.
    package func isWhole(_ name: ImageReference) -> Bool {
        records[name.description].map { isWhole($0.digest, depth: 0) } ?? false
    }

    private func isWhole(_ digest: Digest, depth: Int) -> Bool {
        guard depth < 5, let labels = content[digest] else { return false }
        let children = labels.filter { $0.key.hasPrefix(Links.content) }
        // Of the manifests in an index one, for this platform, is there as a rule.
        let manifests = children.filter { $0.key.hasPrefix(Links.content + "m.") }
        if !manifests.isEmpty {
            return manifests.values.contains { text in
                (try? Digest(parsing: text)).map { isWhole($0, depth: depth + 1) } ?? false
            }
        }
        return !children.isEmpty
            && children.values.allSatisfy { text in (try? Digest(parsing: text)).map { content[$0] != nil } ?? false }
    }
}
