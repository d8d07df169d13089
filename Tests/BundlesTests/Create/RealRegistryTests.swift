import HTTP
import Hosts
import Images
import SystemPackage
import TestSupport
import Testing

@testable import Bundles

/// Debian's docker-registry, filled by skopeo. Neither knows of us.
@Suite(.serialized) struct RealRegistryTests {
    @Test(arguments: ["oci", "v2s2"]) func whatSkopeoPushedIsFetched(form: String) async throws {
        try await Scratch.during { scratch in
            try await RealRegistry.with(in: scratch.path) { registry in
                let archive = scratch.path.appending("a.tar")
                try await Making.archive(
                    ["--ref", "demo/a:1", "--file", "a=b", "--layer", "--file", "c=d", "--format", "docker"],
                    at: archive)
                try await registry.push("demo/a:1", from: archive, as: form)
                let said = try await run(
                    "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}",
                    "docker://\(registry.host)/demo/a:1")
                let access = RegistryAccess(mirrors: ["docker.io": registry.host], plainHosts: [registry.host])
                let making = Making(
                    target: scratch.path.appending("bundle"),
                    supplies: [RegistrySupply(RegistryClient(access, http: Curl()))], wanted: ["demo/a:1"])
                let description = try await making.run()
                #expect(description.images.map(\.names) == [["docker.io/demo/a:1"]])
                #expect("\(description.images[0].digest)\n" == said)
                let layout = making.target.appending("images")
                let shelf = ImageShelf(archives: [layout], index: scratch.path.appending("index.json"))
                #expect(try shelf.images().map(\.target) == description.images.map(\.digest))
                // skopeo reads only OCI's own media types out of a layout.
                if form == "oci" {
                    let back = try await run(
                        "skopeo", "inspect", "--format", "{{.Digest}}", "oci:\(layout):docker.io/demo/a:1")
                    #expect(back == said)
                }
                await #expect(throws: BundleFault.self) {
                    var other = making
                    other.wanted = ["demo/a:2"]
                    try await other.run()
                }
            }
        }
    }

    private func run(_ words: String...) async throws -> String {
        let outcome = try await LocalTransport().run(Command(words))
        try #require(outcome.status == 0, "\(words): \(outcome)")
        return outcome.output
    }
}
