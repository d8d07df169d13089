/// What a store still needs to have an image whole under its names.
package struct ImageLoad: Hashable, Sendable {
    package enum Lack: String, Hashable, Sendable, CaseIterable { case content, name, unpacking, pin, links }

    package var image: ArchivedImage
    /// The names that it gets.
    package var references: [ImageReference]
    /// What has to be sent.
    package var missing: [Blob]
    /// What has to be unpacked.
    package var packed: [Layer]
    /// Why there is something to do.
    package var lacks: Set<Lack>

    package var bytes: Int64 { missing.reduce(0) { $0 + $1.size } }
    /// Of the layers that are to be unpacked, as they are stored.
    var packedBytes: Int64 { packed.reduce(0) { $0 + $1.blob.size } }

    /// What the disk will have less, in bytes: what is sent, and what it unpacks
    /// to. A layer that is plain in its archive tells that exactly. Of a
    /// compressed one three times its size is assumed: programs and libraries
    /// in gzip unpack to 2 to 3.5 times, in zstd to a little more.
    package var room: Int64 {
        packed.reduce(bytes) { sum, layer in sum + (layer.isPlain ? layer.blob.size : 3 * layer.blob.size) }
    }
}

extension Layer {
    /// Not compressed: then its digest is that of the tar.
    var isPlain: Bool { blob.digest == difference }
}
