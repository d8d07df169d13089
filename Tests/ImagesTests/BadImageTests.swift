import Images
import Testing

/// Archives that are whole, and hold what no image is.
@Suite struct BadImageTests {
    typealias Fault = BadArchiveTests.Fault

    static let faults: [Fault] = [
        edited("a key twice", #"it has the key "layers" twice"#) { "{\"layers\":[]," + $0.dropFirst() },
        edited("a key twice, once with escapes", #"it has the key "layers" twice"#) {
            #"{"l\u0061yers":[],"# + $0.dropFirst()
        },
        edited("nested without end", "nested deeper than 32") {
            #"{"x":"# + String(repeating: "[", count: 40) + String(repeating: "]", count: 40) + "," + $0.dropFirst()
        },
        edited("a bomb of values", "more than 200000 values") {
            #"{"x":["# + String(repeating: "0,", count: 300_000) + "0]," + $0.dropFirst()
        },
        edited("a huge number", "not valid JSON") {
            $0.replacing(/"size":\d+/, with: #""size":1e400"#, maxReplacements: 1)
        },
        edited("a number above 64 bits", "not valid JSON") {
            $0.replacing(/"size":\d+/, with: #""size":99999999999999999999"#, maxReplacements: 1)
        },
        edited("a negative size", "should have -1") {
            $0.replacing(/"size":\d+/, with: #""size":-1"#, maxReplacements: 1)
        },
        edited("the least size of all", "should have -9223372036854775808") {
            $0.replacing(/"size":\d+/, with: #""size":-9223372036854775808"#, maxReplacements: 1)
        },
        edited("half a size", "not valid JSON") {
            $0.replacing(/"size":\d+/, with: #""size":1.5"#, maxReplacements: 1)
        },
        edited("a digest of another kind", "it is not sha256:") { $0.replacing("sha256:", with: "sha512:") },
        edited("a digest that leads outside", "it is not sha256:") {
            $0.replacing(/sha256:[0-9a-f]{64}/, with: "sha256:../../../../etc/shadow")
        },
        edited("an index and a manifest at once", "is an index and a manifest at once") {
            #"{"manifests":[],"# + $0.dropFirst()
        },
        edited("an index by its type alone", "says that it is application/vnd.oci.image.index.v1+json") {
            $0.replacing(Sample.Types.oci.manifest, with: Sample.Types.oci.index)
        },
        edited("neither an index nor a manifest", "is neither an index nor a manifest") { _ in #"{"schemaVersion":1}"#
        },
        edited("a layer of no layer's type", "'text/plain', which is no layer's", "'docker.io/library/demo:1'") {
            $0.replacing(Sample.Types.oci.layer + "\"", with: "text/plain\"", maxReplacements: 1)
        },
        edited("too few layers", "lists 0 layers, its config 2") {
            $0.replacing(/"layers":\[.*\]/, with: #""layers":[]"#)
        },
        Fault("an index that has layers", "neither an index nor a manifest as") {
            let sample = Sample()
            let manifest = sample.manifest.replacing(Sample.Types.oci.manifest, with: Sample.Types.oci.index)
            return sample.blobs + [
                sample.blob(manifest), .file("index.json", sample.index(of: manifest, Sample.Types.oci.index)),
            ]
        },
        Fault("an index inside itself, by depth", "nested too deep", "'docker.io/library/demo:1'") {
            let sample = Sample()
            var texts = [sample.manifest]
            for _ in 0..<5 {
                let type = texts.count == 1 ? Sample.Types.oci.manifest : Sample.Types.oci.index
                let entry = sample.descriptor(type, Array(texts[texts.count - 1].utf8))
                texts.append(#"{"schemaVersion":2,"manifests":[\#(entry)]}"#)
            }
            return sample.blobs + texts.dropFirst().map(sample.blob) + [
                .file("index.json", sample.index(of: texts[5], Sample.Types.oci.index))
            ]
        },
        Fault("an index of nothing", "is for no platform") {
            let sample = Sample()
            let index = #"{"schemaVersion":2,"manifests":[]}"#
            return sample.blobs + [
                sample.blob(index), .file("index.json", sample.index(of: index, sample.types.index)),
            ]
        },
        Fault("a manifest that is not JSON", "is not JSON, or too big") {
            let sample = Sample()
            return sample.blobs + [
                sample.blob("hello"), .file("index.json", sample.index(of: "hello", sample.types.manifest)),
            ]
        },
        Fault("a manifest without blobs", "it lacks 'blobs/sha256/") { [Sample().oci[0]] + Sample().oci.suffix(1) },
        Fault("a config that is no UTF-8", "it is not UTF-8") {
            let config =
                Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"x":""#.utf8)
                + [0xc3, 0x28] + Array("\"}".utf8)
            return [.file("c.json", config), .file("manifest.json", Sample().dockerList(config: "c.json", layers: []))]
        },
        Fault("one file that is two layers", "or 'a' two layers") {
            let sample = Sample(layers: ["base", "top"])
            let list = sample.dockerList(config: "c.json", layers: ["a", "a"])
            return [.file("c.json", sample.config), .file("a", sample.layers[0]), .file("manifest.json", list)]
        },
        Fault("one layer in two sizes", "two files, or 'b'") {
            let sample = Sample(layers: ["base", "base"])
            let list = sample.dockerList(config: "c.json", layers: ["a", "b"])
            return [
                .file("c.json", sample.config), .file("a", sample.layers[0]), .file("b", "short"),
                .file("manifest.json", list),
            ]
        },
        Fault("one config without end", "lead to too much JSON") {
            // 3 MiB, a hundred times.
            let config =
                Sample(layers: []).config.dropLast() + ",\"x\":\"" + String(repeating: "x", count: 3 << 20) + "\"}"
            let entries = [String](repeating: #"{"Config":"c.json","Layers":[]}"#, count: 100)
            return [.file("c.json", config), .file("manifest.json", "[\(entries.joined(separator: ","))]")]
        },
        Fault("another version of the layout", "layout of version 2.0.0") {
            Sample().oci.map { $0.name == "oci-layout" ? .file("oci-layout", #"{"imageLayoutVersion":"2.0.0"}"#) : $0 }
        },
        foreign("application/vnd.oci.image.layer.nondistributable.v1.tar"),
        foreign("application/vnd.docker.image.rootfs.foreign.diff.tar"),
        Fault("one name for two images in one archive", "bad.tar give it different contents (images ", "demo:1") {
            let (one, two) = (Sample(), Sample(layers: ["other"]))
            let other = two.descriptor(
                two.types.manifest, Array(two.manifest.utf8),
                #","annotations":{"io.containerd.image.name":"\#(two.name)"}"#)
            let index = one.index(of: one.manifest, one.types.manifest, others: [other])
            return one.blobs + two.blobs.dropFirst() + [.file("index.json", index)]
        },
    ]

    @Test(arguments: faults) func aFaultIsSaidInOneLine(fault: Fault) async throws { try await fault.isSaid() }

    @Test(arguments: [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ])
    func aForeignLayerThatIsThereIsTaken(type: String) async throws {
        try await Folder.with { folder in
            var sample = Sample()
            sample.types.layer = type
            let archive = try folder.write("a.tar", sample.oci)
            #expect(try folder.shelf(archive).images().count == 1)
        }
    }

    /// An image whose manifest has the fault, and is named by its true digest.
    private static func edited(
        _ name: String, _ words: String..., edit: @escaping @Sendable (String) -> String
    ) -> Fault {
        var fault = Fault(name) {
            var sample = Sample()
            sample.manifestEdit = edit
            return sample.oci
        }
        fault.words = words
        return fault
    }

    /// As tools save an image whose base may not be passed on.
    private static func foreign(_ type: String) -> Fault {
        Fault("left out: \(type)", "of 'docker.io/library/demo:1' may not be passed on", type) {
            var sample = Sample()
            sample.types.layer = type
            return sample.oci.filter { $0.name != "blobs/sha256/" + Digest(of: sample.layers[0]).hex }
        }
    }
}
