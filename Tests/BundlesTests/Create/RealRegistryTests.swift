import FoundationEssentials
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
            try await RealRegistry.with(in: scratch) { registry in
                let archive = scratch.path.appending("a.tar")
                try await Making.archive(
                    ["--ref", "demo/a:1", "--file", "a=b", "--layer", "--file", "c=d", "--format", "docker"],
                    at: archive)
                try await registry.run(
                    "skopeo", "copy", "--format", form, "--dest-tls-verify=false", "docker-archive:\(archive)",
                    "docker://\(registry.host)/demo/a:1")
                let said = try await registry.run(
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
                    let back = try await registry.run(
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
}

private struct RealRegistry {
    var host: String

    static func with(in scratch: Scratch, _ body: (RealRegistry) async throws -> Void) async throws {
        let port = try StubServer.freePort()
        let config = try scratch.write(
            "registry.yml",
            """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(scratch.path.appending("registry"))}}
            http: {addr: "127.0.0.1:\(port)"}

            """)
        let command = Command(["docker-registry", "serve", config.string])
        let server = Task { try await LocalTransport().run(command) }
        defer { server.cancel() }
        let registry = RealRegistry(host: "127.0.0.1:\(port)")
        let request = HTTPRequest("GET", "http://\(registry.host)/v2/", limit: .seconds(5))
        for _ in 0..<200 {
            if await (try? Curl().send(request))?.status == 200 { return try await body(registry) }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("docker-registry does not answer; scripts/install-packages installs it")
    }

    @discardableResult
    func run(_ words: String...) async throws -> String {
        let outcome = try await LocalTransport().run(Command(words))
        try #require(outcome.status == 0, "\(words): \(outcome)")
        return outcome.output
    }
}
