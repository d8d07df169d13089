import Images

/// What is stored like an image and is none.
struct Artifact {
    var config: (type: String, text: String)
    var layer: (type: String, text: String)
    /// Fields of the manifest.
    var more = ""
    /// Of its entry in index.json.
    var annotations = ""

    static let all = [
        // A signature of cosign 2: an image's config, and a layer that is none.
        Artifact(
            config: (
                Sample.Types.oci.config,
                #"{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":["sha256:\#(Digest(of: []).hex)"]}}"#
            ),
            layer: ("application/vnd.dev.cosign.simplesigning.v1+json", #"{"critical":{}}"#),
            annotations: #","annotations":{"org.opencontainers.image.ref.name":"docker.io/library/demo:sha256-1.sig"}"#),
        // A list of materials as ORAS and OCI 1.1 attach it.
        Artifact(
            config: ("application/vnd.oci.empty.v1+json", "{}"),
            layer: ("application/spdx+json", #"{"spdxVersion":"2"}"#),
            more: #","artifactType":"application/spdx+json""#),
        // A chart, as Helm pushes it.
        Artifact(
            config: ("application/vnd.cncf.helm.config.v1+json", #"{"name":"chart"}"#),
            layer: ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "chart")),
    ]

    var manifest: String {
        let sample = Sample()
        return #"{"schemaVersion":2,"mediaType":"\#(Sample.Types.oci.manifest)""# + more + #","config":"#
            + sample.descriptor(config.type, Array(config.text.utf8)) + #","layers":["#
            + sample.descriptor(layer.type, Array(layer.text.utf8)) + "]}"
    }

    var members: [Tar.Member] { [manifest, config.text, layer.text].map { Sample().blob($0) } }
}
