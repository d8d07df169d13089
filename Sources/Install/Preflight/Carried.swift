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

    /// What the import of the images will take of the disk, in bytes.
    ///
    /// A store holds each layer twice: as it was carried, and unpacked; 15 % on
    /// top, since files take whole blocks, and for what moves meanwhile. Only
    /// what the store lacks counts, and a layer that images share counts once.
    /// Where the archives cannot be read their sizes have to do, 2.2 times.
    func bytesToCome(to site: Site) async throws -> Int64 {
        var bytes: Int64 = 0
        guard let shelf = try? await images(of: site.bundle) else {
            bytes = site.bundle.blobBytes
            for archive in try site.bundle.archives() {
                bytes += try await site.head.transport.state(of: archive)?.size ?? 0
            }
            return bytes * 253 / 100
        }
        var holdings = Holdings()
        if try await site.node.has(site.provider.kubeconfig) { holdings = try await site.images.holdings() }
        for reference in try await site.neededImages() {
            guard let image = shelf.image(for: reference), let load = holdings.lacks(image, as: [reference])
            else { continue }
            bytes += load.room
            holdings = holdings.adding(load)
        }
        return bytes * 115 / 100
    }
}
