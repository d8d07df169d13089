import Dispatch
import Hosts
import Images
import SystemPackage

/// What the bundle's archives hold. Several checks ask; it is read once, and
/// remembered in the bundle's index for the stages.
actor Carried {
    private var reading: Task<[ArchivedImage], any Error>?

    init(_ known: [ArchivedImage]? = nil) { reading = known.map { images in Task { images } } }

    func images(of bundle: Bundle) async throws -> [ArchivedImage] {
        if let reading { return try await reading.value }
        let task = Task {
            let shelf = try bundle.shelf()
            // A thread of its own: reading blocks, and on two cores the other checks have but two.
            return try await withCheckedThrowingContinuation { answer in
                DispatchQueue.global().async { answer.resume(with: Result { try shelf.images() }) }
            }
        }
        reading = task
        return try await task.value
    }

    /// What the import of the images will take at most.
    ///
    /// A store holds each layer twice: as it was carried, and unpacked (2.2
    /// times together); 15 % on top for what moves meanwhile. Before there is
    /// a cluster the files' sizes have to do; afterwards only what its store lacks counts.
    func bytesToCome(to site: Site) async throws -> Int64 {
        var bytes: Int64 = 0
        if try await site.head.has(site.provider.kubeconfig), let shelf = try? await images(of: site.bundle) {
            var holdings = try await site.images.holdings()
            for reference in try await site.neededImages() {
                guard let image = shelf.image(for: reference),
                    let load = site.images.lacks(image, as: [reference], in: holdings)
                else { continue }
                bytes += load.bytes
                holdings = holdings.adding(load)
            }
        } else {
            bytes = site.bundle.blobBytes
            for archive in try site.bundle.archives() {
                bytes += try await site.head.transport.state(of: archive)?.size ?? 0
            }
        }
        return bytes * 253 / 100
    }
}
