import Bundles
import FoundationEssentials
import Images
import Testing

@Suite struct BundleDescriptionTests {
    @Test func isReadAsItWasWritten() throws {
        let digest = Digest(of: Array("a".utf8))
        let description = BundleDescription(
            created: "2026-01-02T03:04:05Z", platform: .linuxAMD64, system: .init(id: "debian", version: "12"),
            versions: ["jupyterhub": "4.2.0"],
            images: [
                .init(
                    names: ["docker.io/library/busybox:1"], digest: digest, needs: ["SMOKE"],
                    blobs: [Blob(digest: digest, size: 1)])
            ],
            files: [.init(path: "charts/a.tgz", size: 1, sha256: digest)], checkpoints: .init(size: 0, sha256: digest))
        let text = try JSONEncoder().encode(description)
        #expect(try JSONDecoder().decode(BundleDescription.self, from: text) == description)
    }
}
