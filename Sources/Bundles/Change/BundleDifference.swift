package import Images

/// What one bundle has and another has not.
package struct BundleDifference: Hashable, Sendable {
    /// Names, sorted.
    package var imagesAdded: [String] = []
    package var imagesRemoved: [String] = []
    package var imagesChanged: [Change] = []
    /// Paths of all but blobs, sorted.
    package var filesAdded: [String] = []
    package var filesRemoved: [String] = []
    package var filesChanged: [Change] = []
    /// By digest.
    package var blobsAdded: [Blob] = []
    package var blobsRemoved: [Blob] = []

    package struct Change: Hashable, Sendable {
        package var name: String
        package var from: Digest
        package var to: Digest
    }

    package init(from old: BundleDescription, to new: BundleDescription) {
        (imagesAdded, imagesRemoved, imagesChanged) = Self.compare(Self.images(old), Self.images(new))
        (filesAdded, filesRemoved, filesChanged) = Self.compare(Self.files(old), Self.files(new))
        let (before, after) = (Self.blobs(old), Self.blobs(new))
        blobsAdded = after.subtracting(before).sorted { $0.digest.hex < $1.digest.hex }
        blobsRemoved = before.subtracting(after).sorted { $0.digest.hex < $1.digest.hex }
    }

    package var isEmpty: Bool {
        [imagesAdded, imagesRemoved, filesAdded, filesRemoved].allSatisfy(\.isEmpty) && imagesChanged.isEmpty
            && filesChanged.isEmpty && blobsAdded.isEmpty && blobsRemoved.isEmpty
    }

    private static func compare(
        _ old: [String: Digest], _ new: [String: Digest]
    ) -> (added: [String], removed: [String], changed: [Change]) {
        let changed = new.compactMap { name, digest in
            old[name].flatMap { $0 == digest ? nil : Change(name: name, from: $0, to: digest) }
        }
        return (
            new.keys.filter { old[$0] == nil }.sorted(), old.keys.filter { new[$0] == nil }.sorted(),
            changed.sorted { $0.name < $1.name }
        )
    }

    private static func images(_ bundle: BundleDescription) -> [String: Digest] {
        Dictionary(bundle.images.flatMap { image in image.names.map { ($0, image.digest) } }) { one, _ in one }
    }

    private static func files(_ bundle: BundleDescription) -> [String: Digest] {
        let files = bundle.files.filter { !$0.isBlob && !$0.path.hasPrefix("images/") }
        return Dictionary(files.map { ($0.path, $0.sha256) }) { one, _ in one }
    }

    private static func blobs(_ bundle: BundleDescription) -> Set<Blob> {
        Set(bundle.files.filter(\.isBlob).map { Blob(digest: $0.sha256, size: $0.size) })
    }
}
