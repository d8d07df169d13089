import Images
import Synchronization

/// A manifest or a config on its way: small enough to be kept.
final class KeptText: Sendable {
    /// In bytes. Manifests and configs are some kilobytes.
    static let largest: Int64 = 16 << 20

    private let limit: Int64
    private let kept = Mutex<[UInt8]>([])

    init(upTo limit: Int64) { self.limit = limit }

    /// - Parameter name: what messages call it.
    convenience init(of descriptor: Descriptor, _ name: String) throws(BundleFault) {
        guard (0...Self.largest).contains(descriptor.size) else {
            throw BundleFault("\(name) has \(descriptor.size) bytes; more than 16 MiB is refused")
        }
        self.init(upTo: descriptor.size)
    }

    var bytes: [UInt8] { kept.withLock { $0 } }

    func take(_ bytes: [UInt8]) throws(BundleFault) {
        let fits = kept.withLock { kept in
            guard kept.count + bytes.count <= limit else { return false }
            kept += bytes
            return true
        }
        guard fits else { throw BundleFault("a document of more than \(limit) bytes came; that is no image") }
    }
}
