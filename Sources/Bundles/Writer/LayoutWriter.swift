import FoundationEssentials
package import Images
package import SystemPackage

/// Writes the OCI image layout of a bundle, each blob once. What stands there already is not written again.
package struct LayoutWriter: Sendable {
    /// The bundle's `images`.
    package let folder: FilePath

    package init(at folder: FilePath) throws(BundleFault) {
        self.folder = folder
        try SmallFile.makeFolder(Self.blobs(in: folder))
    }

    static func blobs(in folder: FilePath) -> FilePath { folder.appending("blobs").appending("sha256") }

    static func path(of blob: Digest, in folder: String) -> String { "\(folder)/blobs/sha256/\(blob.hex)" }

    /// Whether the blob stands there whole: it was proved before it got its name.
    package func has(_ blob: Blob) -> Bool {
        FileEntry(at: Self.blobs(in: folder).appending(blob.digest.hex))?.size == blob.size
    }

    /// Opens a blob for writing. It goes on where an earlier run was ended; nobody else may write it meanwhile.
    package func open(_ blob: Blob) throws(BundleFault) -> BlobFile { try BlobFile(blob, in: Self.blobs(in: folder)) }

    /// A blob that fits into memory.
    @discardableResult
    package func put(_ bytes: [UInt8]) throws(BundleFault) -> Blob {
        let blob = Blob(digest: Digest(of: bytes), size: Int64(bytes.count))
        if !has(blob) { try SmallFile.write(bytes, to: Self.blobs(in: folder).appending(blob.digest.hex)) }
        return blob
    }

    /// One name of an image, or an image without one.
    package struct Entry: Hashable, Sendable {
        /// Whole: "docker.io/library/busybox:1".
        package var name: String?
        /// Its index or manifest.
        package var blob: Blob
        package var mediaType: String
        /// Nil for an index.
        package var platform: Platform?

        package init(name: String?, blob: Blob, mediaType: String, platform: Platform? = nil) {
            (self.name, self.blob, self.mediaType, self.platform) = (name, blob, mediaType, platform)
        }
    }

    /// Writes what makes the blobs a layout: the same entries in any order give the same bytes.
    package func writeIndex(_ entries: [Entry]) throws(BundleFault) {
        let sorted = Set(entries).sorted { ($0.name ?? "", $0.blob.digest.hex) < ($1.name ?? "", $1.blob.digest.hex) }
        let index = Index(manifests: sorted.map(Index.Manifest.init))
        let text = try trying("describe the images in", folder) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return try Array(encoder.encode(index)) + Array("\n".utf8)
        }
        try SmallFile.write(#"{"imageLayoutVersion":"1.0.0"}"#.utf8, to: folder.appending("oci-layout"))
        try SmallFile.write(text, to: folder.appending("index.json"))
    }

    private struct Index: Encodable {
        var schemaVersion = 2
        var mediaType = "application/vnd.oci.image.index.v1+json"
        var manifests: [Manifest]

        struct Manifest: Encodable {
            var mediaType: String
            var digest: Digest
            var size: Int64
            var platform: Platform?
            /// containerd's name for it, and OCI's, by which skopeo finds it.
            var annotations: [String: String]?

            init(_ entry: Entry) {
                (mediaType, digest, size) = (entry.mediaType, entry.blob.digest, entry.blob.size)
                platform = entry.platform
                annotations = entry.name.map {
                    ["io.containerd.image.name": $0, "org.opencontainers.image.ref.name": $0]
                }
            }
        }
    }
}
