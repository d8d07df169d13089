import Containerd
package import Images
import Synchronization
package import SystemPackage

/// The images of a containerd that runs on this machine, out of its content store.
package struct ContainerdSupply: ImageSupply {
    package let name: String
    private let containerd: Containerd
    private let targets: [(reference: ImageReference, descriptor: Descriptor)]
    /// What is there whole.
    private let held: Set<Digest>

    /// Asks what it has.
    package init(_ socket: FilePath, namespace: String, name: String) async throws(BundleFault) {
        self.name = name
        let containerd = Containerd(at: socket, namespace: namespace)
        self.containerd = containerd
        do {
            // What is called otherwise (a config's digest, as the kubelet's side does) no config can ask for.
            targets = try await containerd.images().compactMap { image in
                guard let reference = try? ImageReference(parsing: image.name),
                    let digest = try? Digest(parsing: image.target.digest)
                else { return nil }
                let target = image.target
                let descriptor = Descriptor(mediaType: target.mediaType, digest: digest, size: target.size)
                return (reference: reference, descriptor: descriptor)
            }
            held = Set(try await containerd.contents().compactMap { try? Digest(parsing: $0.digest) })
        } catch {
            throw Self.fault("could not ask \(name) for its images", error)
        }
    }

    package func image(_ reference: ImageReference) async throws -> SuppliedImage? {
        let found = targets.first { $0.reference == reference || $0.descriptor.digest == reference.digest }
        guard let top = found?.descriptor else { return nil }
        let parts = ImageByDigest(name: "\(reference) from \(name)") { try await document($0) }
        let image = try await parts.image(top, try await document(top)) { wanted, take in
            try await read(wanted.blob.digest, from: wanted.offset, take)
        }
        // A containerd may be told to throw layers away once they are unpacked.
        if let gone = image.blobs.first(where: { !held.contains($0.digest) }) {
            throw IncompleteImage(
                reason: "\(name) has it without \(gone.digest), as with discard_unpacked_layers: "
                    + "take it from an archive or a registry")
        }
        return image
    }

    /// A manifest or a config, proved.
    private func document(_ descriptor: Descriptor) async throws -> [UInt8] {
        guard held.contains(descriptor.digest) else {
            throw IncompleteImage(
                reason: "\(name) has it without \(descriptor.digest), as where it was pulled for another platform")
        }
        let text = try KeptText(of: descriptor, "\(descriptor.digest) in \(name)")
        try await read(descriptor.digest, from: 0) { try text.take($0) }
        let found = Digest(of: text.bytes)
        guard found == descriptor.digest else {
            throw BundleFault("\(descriptor.digest) in \(name) is damaged: its bytes have the digest \(found)")
        }
        return text.bytes
    }

    private func read(
        _ digest: Digest, from offset: Int64, _ take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws {
        let refusal = Mutex<(any Error)?>(nil)
        do throws(ContainerdError) {
            try await containerd.read(digest.description, from: offset) { bytes throws(ContainerdError) in
                do {
                    try take(bytes)
                } catch {
                    refusal.withLock { $0 = error }
                    throw ContainerdError("Content/Read", "\(error)")
                }
            }
        } catch {
            // Of two errors the first: containerd's only says that we left.
            if let refusal = refusal.withLock(\.self) { throw refusal }
            throw Self.fault("could not read \(digest) from \(name)", error)
        }
    }

    private static func fault(_ attempt: String, _ error: ContainerdError) -> BundleFault {
        BundleFault(
            "\(attempt): \(error): is it the socket of a containerd that runs, and are you root?", blame: .machine)
    }
}
