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
            return ArchivedImage(
                names: [name], target: manifest.digest, platform: .linuxAMD64,
                config: Digest(of: "config \(name)".utf8),
                blobs: [manifest, layer], archive: bundle.appending("images.tar"),
                source: .init(
                    mediaType: "application/vnd.oci.image.manifest.v1+json", manifest: manifest,
                    manifestType: "application/vnd.oci.image.manifest.v1+json", members: [:]))
        }
    }

    /// What containerd answers when it has these images whole, and no others.
    func hold(_ images: [ArchivedImage]) {
        let ctr = provider.containerd
        var (list, check) = ("REF TYPE DIGEST SIZE PLATFORMS LABELS\n", "REF TYPE DIGEST STATUS SIZE UNPACKED\n")
        for image in images {
            for name in image.names {
                list +=
                    "\(name) application/vnd.oci.image.manifest.v1+json \(image.target) 1.0 linux/amd64 \(ImageStore.pin)\n"
                check +=
                    "\(name) application/vnd.oci.image.manifest.v1+json \(image.target) complete (2/2) 1.0 KiB/1.0 KiB true\n"
            }
        }
        let content = Set(images.flatMap { $0.blobs.map(\.digest.description) }).sorted().map { $0 + "\n" }.joined()
        host.answer(Command(ctr + ["images", "ls"]), output: list)
        host.answer(Command(ctr + ["images", "check"]), output: check)
        host.answer(Command(ctr + ["content", "ls", "-q"]), output: content)
    }
}
