import Images

/// A tiny image, and the archives that the tools of the trade would make of it.
struct Sample {
    var name = "docker.io/library/demo:1"
    var architecture = "amd64"
    var layers: [[UInt8]]
    var types = Types.oci

    /// The media types of a family of tools.
    struct Types {
        var index: String
        var manifest: String
        var config: String
        var layer: String

        static let oci = Types(
            index: "application/vnd.oci.image.index.v1+json", manifest: "application/vnd.oci.image.manifest.v1+json",
            config: "application/vnd.oci.image.config.v1+json", layer: "application/vnd.oci.image.layer.v1.tar")
        static let docker = Types(
            index: "application/vnd.docker.distribution.manifest.list.v2+json",
            manifest: "application/vnd.docker.distribution.manifest.v2+json",
            config: "application/vnd.docker.container.image.v1+json",
            layer: "application/vnd.docker.image.rootfs.diff.tar")
    }

    /// Layers with one file each; equal texts make equal layers.
    init(_ name: String = "docker.io/library/demo:1", layers texts: [String] = ["base", "top"]) {
        self.name = name
        layers = texts.map { Tar(members: [.file($0, "this is \($0)\n")]).bytes }
    }

    var differences: [String] { layers.map { Digest(of: $0).description } }

    /// What is to be wrong with the config.
    var configEdit: @Sendable (String) -> String = { $0 }

    var config: String { configEdit(plainConfig) }

    private var plainConfig: String {
        let list = differences.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"architecture":"\#(architecture)","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(list)]}}"#
    }
    var configHex: String { hex(config) }

    /// What is to be wrong with the manifest.
    var manifestEdit: @Sendable (String) -> String = { $0 }

    var manifest: String { manifestEdit(plainManifest) }

    /// As Docker 25 and later write it.
    private var plainManifest: String {
        let descriptors = layers.map { descriptor(types.layer, $0) }
        return #"{"schemaVersion":2,"mediaType":"\#(types.manifest)","config":"#
            + descriptor(types.config, Array(config.utf8)) + #","layers":[\#(descriptors.joined(separator: ","))]}"#
    }

    func descriptor(_ type: String, _ bytes: [UInt8], _ more: String = "") -> String {
        #"{"mediaType":"\#(type)","digest":"\#(Digest(of: bytes))","size":\#(bytes.count)\#(more)}"#
    }

    func hex(_ text: String) -> String { Digest(of: text.utf8).hex }
    func blob(_ text: String) -> Tar.Member { .file("blobs/sha256/" + hex(text), text) }

    // Docker until 24: a layer that stands already under another name is a link to it.
    var docker: [Tar.Member] {
        var members: [Tar.Member] = [.file("\(configHex).json", config)]
        var first: [[UInt8]: String] = [:]
        var paths: [String] = []
        for (index, layer) in layers.enumerated() {
            let folder = hex("\(name) \(index)")
            paths.append("\(folder)/layer.tar")
            members.append(.file("\(folder)/VERSION", "1.0"))
            if let before = first[layer] {
                members.append(.link("\(folder)/layer.tar", to: "../\(before)/layer.tar"))
            } else {
                members.append(.file("\(folder)/layer.tar", layer))
                first[layer] = folder
            }
        }
        return members + [.file("manifest.json", dockerList(config: "\(configHex).json", layers: paths))]
    }

    func dockerList(config: String, layers: [String]) -> String {
        let paths = layers.map { "\"\($0)\"" }.joined(separator: ",")
        return #"[{"Config":"\#(config)","RepoTags":["\#(name)"],"Layers":[\#(paths)]}]"#
    }

    var docker25: [Tar.Member] {
        let paths = layers.map { "blobs/sha256/" + Digest(of: $0).hex }
        return oci + [.file("manifest.json", dockerList(config: "blobs/sha256/" + configHex, layers: paths))]
    }

    var oci: [Tar.Member] {
        blobs + [.file("index.json", index(of: manifest, types.manifest))]
    }

    /// With an index of platforms of which only linux/amd64 is there.
    var multiPlatform: [Tar.Member] {
        blobs + [blob(platforms), .file("index.json", index(of: platforms, types.index))]
    }

    var platforms: String {
        let absent = descriptor(types.manifest, [1], #","platform":{"os":"linux","architecture":"arm64"}"#)
        let proof = descriptor(types.manifest, [2], #","platform":{"os":"unknown","architecture":"unknown"}"#)
        let here = descriptor(
            types.manifest, Array(manifest.utf8), #","platform":{"os":"linux","architecture":"amd64"}"#)
        return #"{"schemaVersion":2,"manifests":[\#(absent),\#(here),\#(proof)]}"#
    }

    var blobs: [Tar.Member] {
        var seen: Set<[UInt8]> = []
        return [.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#), blob(config), blob(manifest)]
            + layers.filter { seen.insert($0).inserted }.map { .file("blobs/sha256/" + Digest(of: $0).hex, $0) }
    }

    /// `others` are entries beside the image's.
    func index(of text: String, _ type: String, others: [String] = []) -> String {
        let named = #","annotations":{"io.containerd.image.name":"\#(name)"}"#
        let entries = [descriptor(type, Array(text.utf8), named)] + others
        return #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#
    }
}

extension Sample {
    /// Two layers of 6 MiB that do not compress.
    static var large: Sample {
        var sample = Sample()
        var state: UInt64 = 42
        sample.layers = ["one", "two"].map { name in
            var noise: [UInt8] = []
            for _ in 0..<(6 << 17) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                withUnsafeBytes(of: state) { noise += $0 }
            }
            return Tar(members: [.file(name, noise)]).bytes
        }
        return sample
    }
}
