import Bundles
import Foundation
import Glibc
import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

/// `jhub-install bundle create`, as somebody types it.
@Suite final class BundleCreateTests {
    private let folder: FilePath
    private static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent()
    private static let program =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map {
            FilePath($0).removingLastComponent().appending("jhub-install").string
        }

    /// A cluster that stands, a chart that Helm makes one Deployment of, and a release.
    init() throws {
        folder = FilePath(FileManager.default.temporaryDirectory.path).appending("jhub-create-\(UUID().uuidString)")
        try write("charts/jupyterhub-4.2.0.tgz", "chart")
        try write("release/bin/jhub-install", "#!/bin/sh\n", mode: 0o755)
        for name in ["templates", "profiles"] {
            try FileManager.default.copyItem(
                atPath: Self.repository.appending(name).string, toPath: folder.pushing("release").appending(name).string
            )
        }
        let helm = try write(
            "helm",
            """
            #!/bin/sh
            echo 'apiVersion: apps/v1
            kind: Deployment
            metadata: {name: hub}
            spec: {template: {spec: {containers: [{name: hub, image: "demo/hub:1"}]}}}'

            """, mode: 0o755)
        let config = """
            CLUSTER_PROVIDER=existing
            KUBECONFIG_FILE=/etc/hostname
            HELM_BINARY=\(helm)
            HUB_IMAGE=demo/hub:1
            PROXY_IMAGE=demo/proxy:1
            SINGLEUSER_IMAGE=demo/lab:1
            """
        try write("jhub.env", config, mode: 0o600)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.string) }

    @discardableResult
    private func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> FilePath {
        let path = folder.pushing(FilePath(name))
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try text.write(toFile: path.string, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path.string)
        return path
    }

    private static let names = ["demo/hub:1", "demo/proxy:1", "demo/lab:1"]

    private func archive(_ names: [String] = names, _ more: String...) async throws -> FilePath {
        let path = folder.appending("images.tar")
        let tool = Self.repository.appending("Tests/Lab/images/make-image").string
        let images = names.flatMap { ["--ref", $0, "--file", "base=shared", "--layer", "--file", "own=\($0)"] }
        let outcome = try await LocalTransport().run(Command([tool] + images + more + [path.string]))
        try #require(outcome.status == 0, "\(outcome)")
        return path
    }

    private func create(to target: String = "bundle", _ words: String...) async throws -> Outcome {
        try await LocalTransport().run(Command(try command(target, words)))
    }

    private func command(_ target: String, _ words: [String]) throws -> [String] {
        [
            try #require(Self.program), "bundle", "create", "--config", folder.appending("jhub.env").string, "--to",
            folder.appending(target).string, "--charts", folder.appending("charts").string, "--root",
            folder.appending("release").string,
        ] + words
    }

    private func everything(in name: String) throws -> [String: Data?] {
        let root = folder.appending(name).string
        let names = try FileManager.default.subpathsOfDirectory(atPath: root)
        return Dictionary(
            uniqueKeysWithValues: names.map { ($0, FileManager.default.contents(atPath: "\(root)/\($0)")) })
    }

    @Test func whatTheConfigNeedsGoesInAndTwiceTheSame() async throws {
        let archive = try await archive()
        let outcome = try await create("--from", archive.string, "--json")
        try #require(outcome.status == 0, "\(outcome)")
        let events = try outcome.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(events.filter { $0["event"] == "found" }.count == 3)
        let made = try #require(events.last)
        #expect(made["event"] == "made" && made["images"] == 3 && made["signed"] == false)
        let bundle = try JSON(
            parsing: String(
                decoding: try #require(try everything(in: "bundle")["bundle.json"]) ?? Data(), as: UTF8.self))
        let hub = bundle["images"]?.array?.first { $0["names"]?.array == ["docker.io/demo/hub:1"] }
        #expect(hub?["needs"]?.array == ["HUB_IMAGE", "chart jupyterhub-4.2.0: Deployment hub"])
        #expect(bundle["versions"]?["jupyterhub"] == "4.2.0")
        let program = bundle["files"]?.array?.first { $0["path"] == "jhub-install/bin/jhub-install" }
        #expect(program?["isProgram"] == true)

        let again = try await create(to: "other", "--from", archive.string)
        #expect(again.status == 0)
        #expect(again.output.contains("unsigned: sign it with"))
        #expect(try everything(in: "other") == everything(in: "bundle"))
    }

    @Test func aContainerdGivesWhatTheArchiveGives() async throws {
        let archive = try await archive()
        try #require(try await PrivateContainerd.isPossible(), "\(PrivateContainerd.needs) are needed")
        let root = try write("containerd/.keep", "").removingLastComponent()
        let containerd = PrivateContainerd(in: root)
        try await containerd.run {
            let imported = try await containerd.ctr("-n", "other", "images", "import", archive.string)
            try #require(imported.status == 0, "\(imported)")
            let source = "containerd:\(containerd.socket)"
            let outcome = try await create("--from", source + "?namespace=other")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("found  docker.io/demo/hub:1  (\(source)?namespace=other)"))
            #expect(try await create(to: "other", "--from", archive.string).status == 0)
            #expect(try everything(in: "other") == everything(in: "bundle"))
            let none = try await create(to: "none", "--from", source)
            #expect(none.status == 2 && none.errors.contains("\(source) has none of that name"))
        }
    }

    @Test func aKeySignsIt() async throws {
        let archive = try await archive()
        let program = try #require(Self.program)
        let key = folder.appending("key").string
        _ = try await LocalTransport().run([program, "bundle", "keygen", "--to", key])
        let outcome = try await create("--from", archive.string, "--key", "\(key).key")
        #expect(outcome.status == 0 && outcome.output.hasSuffix("signed\n"))
        let list = try await LocalTransport().run([program, "bundle", "list", folder.appending("bundle").string])
        #expect(list.output.contains("signed with keys that are not trusted here"))
    }

    /// Its certificate is of an authority of the site's own.
    @Test func aRegistryWithTLSIsBelievedByItsAuthority() async throws {
        let archive = try await archive(Self.names, "--format", "docker")
        try await RealRegistry.with(in: folder.appending("registry"), hasTLS: true) { registry in
            for name in Self.names { try await registry.push(name, from: archive) }
            let mirror = "docker.io=\(registry.host)"
            let refused = try await create("--registry", mirror)
            #expect(refused.status == 1 && refused.errors.split(separator: "\n").count == 1, "\(refused)")
            #expect(refused.errors.contains("certificate"))
            #expect(refused.errors.hasSuffix("name that authority's PEM with --registry-ca\n"))
            let outcome = try await create(
                "--registry", mirror, "--registry-ca", try #require(registry.authority).string)
            #expect(outcome.status == 0, "\(outcome)")
            let images = try BundleFolder(opening: folder.appending("bundle")).description.images
            #expect(images.flatMap(\.names).sorted() == Self.names.map { "docker.io/\($0)" }.sorted())
        }
    }

    /// Ctrl-C, while a layer is copied: the next run goes on, and the bundle is as if there had been none.
    @Test func anInterruptedCreateGoesOn() async throws {
        let big = folder.appending("big")
        #expect(FileManager.default.createFile(atPath: big.string, contents: nil))
        #expect(truncate(big.string, 300 << 20) == 0)
        let archive = try await archive(Self.names, "--layer", "--file", "big=@\(big)")
        let blobs = folder.appending("bundle/images/blobs/sha256")
        let script = #"""
            "$@" >/dev/null & pid=$!
            while kill -0 $pid 2>/dev/null; do
                for part in "$0"/.*.part; do [ -s "$part" ] && { kill -INT $pid; break 2; }; done
            done
            wait $pid
            """#
        let words = try command("bundle", ["--from", archive.string])
        let interrupted = try await LocalTransport().run(Command(["bash", "-c", script, blobs.string] + words))
        #expect(interrupted.status == 130, "\(interrupted)")
        #expect(interrupted.errors.hasPrefix("jhub-install: interrupted: ") && interrupted.errors.hasSuffix(" go on\n"))
        #expect(interrupted.errors.split(separator: "\n").count == 1)
        #expect(throws: BundleFault.self) { try BundleFolder(opening: folder.appending("bundle")) }
        let names = try FileManager.default.contentsOfDirectory(atPath: blobs.string)
        #expect(names.contains { $0.hasSuffix(".part") }, "what was copied is kept")
        #expect(try await create("--from", archive.string).status == 0)
        #expect(try await create(to: "other", "--from", archive.string).status == 0)
        let made = try ["bundle", "other"].map { try BundleFolder(opening: folder.appending($0)) }
        #expect(made[0].text == made[1].text)
        #expect(try made.allSatisfy { try Verifier($0).run().isGood })
    }

    @Test func everyImageThatIsNowhereIsNamed() async throws {
        let archive = try await archive(["demo/hub:1"])
        let outcome = try await create("--from", archive.string)
        #expect(outcome.status == 2)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.errors.contains("docker.io/demo/proxy:1 (PROXY_IMAGE)"))
        #expect(outcome.errors.contains("docker.io/demo/lab:1 (SINGLEUSER_IMAGE"))
        #expect(try everything(in: "bundle")["bundle.json"] == nil)
    }

    @Test(arguments: [
        ["--from", "/nowhere"], ["--pin", "a:latest"], ["--pin", "a:latest@sha256:12"], ["--packages", "/nowhere"],
        ["--authfile", "/etc/hostname"], ["--registry-ca", "/etc/hostname"], ["--have", "/etc/hostname"],
        ["--key", "/nowhere"], ["--root", "/usr"], ["--charts", "/usr"], ["--to", "/usr/share"],
        ["--from", "containerd:/no/such.sock"], ["--from", "containerd:here"], ["--from", "containerd:/a?namespace="],
        ["--from", "/etc/hostname"], ["--have", "/nowhere"], ["--date", "yesterday"],
    ])
    func wrongInputIsOneLine(words: [String]) async throws {
        let archive = try await archive()
        let program = try #require(Self.program)
        let given = [
            "--config", folder.appending("jhub.env").string, "--to", folder.appending("bundle").string, "--charts",
            folder.appending("charts").string, "--root", folder.appending("release").string, "--from", archive.string,
        ]
        // What the case names takes the place of what is right.
        var arguments = given
        if let place = arguments.firstIndex(of: words[0]) { arguments.removeSubrange(place...(place + 1)) }
        let outcome = try await LocalTransport().run(Command([program, "bundle", "create"] + arguments + words))
        #expect([1, 2].contains(outcome.status), "\(outcome)")
        #expect(outcome.status == 2 || words[0] == "--key", "\(outcome)")
        #expect(outcome.errors.hasPrefix("jhub-install: "))
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: folder.appending("bundle").appending("bundle.json").string))
    }
}
