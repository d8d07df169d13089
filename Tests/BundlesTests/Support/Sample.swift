import Bundles
import Images
import SystemPackage

/// A small bundle: one image whose layer has `layerSize` bytes, and a chart.
struct SampleBundle {
    var path: FilePath
    var image: BundleDescription.Image
    var layer: String

    static let name = "docker.io/library/demo:1"
    static let date = "2026-01-02T03:04:05Z"

    init(in scratch: Scratch, _ folder: String = "bundle", layerSize: Int = 1000) throws {
        path = scratch.path.appending(folder)
        let layout = try LayoutWriter(at: path.appending("images"))
        let layer = noise(layerSize)
        let difference = Digest(of: layer)
        let config = try layout.put(
            Array(
                #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(difference)"]}}"#.utf8)
        )
        let layerBlob = try layout.put(layer)
        let type = "application/vnd.oci.image"
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(type).manifest.v1+json","config":{"mediaType":"\#(type).config.v1+json","#
            + #""digest":"\#(config.digest)","size":\#(config.size)},"layers":[{"mediaType":"\#(type).layer.v1.tar","#
            + #""digest":"\#(layerBlob.digest)","size":\#(layerBlob.size)}]}"#
        let manifest = try layout.put(Array(text.utf8))
        try layout.writeIndex([
            LayoutWriter.Entry(
                name: Self.name, blob: manifest, mediaType: "\(type).manifest.v1+json", platform: .linuxAMD64)
        ])
        try scratch.write("\(folder)/charts/jupyterhub-4.2.0.tgz", noise(500, seed: 7))
        self.layer = "images/blobs/sha256/\(layerBlob.digest.hex)"
        image = BundleDescription.Image(
            names: [Self.name], digest: manifest.digest, needs: ["SINGLEUSER_IMAGE"],
            blobs: [manifest, config, layerBlob])
        try BundleWriter(at: path).write(parts)
    }

    var parts: BundleWriter.Parts {
        BundleWriter.Parts(
            created: Self.date, versions: ["jupyterhub": "4.2.0"], images: [image],
            needs: ["charts/jupyterhub-4.2.0.tgz": ["chart jupyterhub"]])
    }
}
