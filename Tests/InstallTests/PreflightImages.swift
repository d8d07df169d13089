import Hosts
import SystemPackage
import TestSupport

@testable import Images
@testable import Install

extension PreflightMachine {
    /// One image for each that the config needs, as archives would hold them; all share one layer of this size.
    func neededImages(size: Int64 = 1000) async throws -> [ArchivedImage] {
        let layer = Blob(digest: Digest(of: "layer".utf8), size: size)
        return try await site.neededImages().map { name in
            let manifest = Blob(digest: Digest(of: "manifest \(name)".utf8), size: 500)
            let config = Blob(digest: Digest(of: "config \(name)".utf8), size: 100)
            return ArchivedImage(
                names: [name], target: manifest.digest, platform: .linuxAMD64,
                config: config.digest, blobs: [manifest, config, layer], archive: bundle.appending("images.tar"),
                source: .init(
                    mediaType: "application/vnd.oci.image.manifest.v1+json", manifest: manifest,
                    manifestType: "application/vnd.oci.image.manifest.v1+json", members: [:]))
        }
    }

    /// The node has these images whole, and no others.
    func hold(_ images: [ArchivedImage]) {
        held.hold(
            images.reduce(Holdings()) { sum, image in
                guard let load = sum.lacks(image) else { return sum }
                return sum.adding(load)
            })
    }
}
