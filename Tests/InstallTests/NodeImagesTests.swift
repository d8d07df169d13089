import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Install

/// How the images stand on the node, against config and bundle.
@Suite struct NodeImagesTests {
    var machine: PreflightMachine

    init() throws {
        machine = try PreflightMachine()
        machine.settings.clusterProvider = .existing
        machine.provider = ExistingCluster(kubeconfig: "/k", socket: "/s", helm: "helm")
    }

    private func states() async throws -> [String: NodeImage.State] {
        let images = try await machine.site.nodeImages()
        return Dictionary(uniqueKeysWithValues: images.map { ($0.name, $0.state) })
    }

    @Test func anImageThatIsNowhereIsMissing() async throws {
        defer { machine.remove() }
        try machine.drop("k8s-hub-4.2.0.tar")
        machine.hold([])
        let images = try await machine.site.nodeImages()
        let hub = try #require(images.first { $0.name == "quay.io/jupyterhub/k8s-hub:4.2.0" })
        #expect(hub.state == .missing && hub.digest == nil && hub.bytes == nil)
        #expect(hub.needs == ["HUB_IMAGE"])
    }

    @Test func whatNobodyWantsIsExtraAndTheKubeletsNamesAreNoImages() async throws {
        defer { machine.remove() }
        try machine.drop("k8s-hub-4.2.0.tar")
        var images = try await machine.neededImages()
        let wanted = images.map { $0.names[0].description }
        var old = images[0]
        old.names = [try ImageReference(parsing: "quay.io/jupyterhub/k8s-hub:4.1.0")]
        old.target = Digest(of: "old".utf8)
        var alias = images[0]
        alias.names = [try ImageReference(parsing: "quay.io/jupyterhub/k8s-hub@\(images[0].target)")]
        images += [old, alias]
        machine.hold(images)
        let states = try await states()
        #expect(states["quay.io/jupyterhub/k8s-hub:4.1.0"] == .extra)
        #expect(states.count == wanted.count + 1)
        #expect(wanted.allSatisfy { states[$0] == .whole })
    }

    /// sha256sum answers as it does on a node; "empty" and "full" are the blobs' contents.
    @Test func aBlobIsHeldAgainstItsName() async throws {
        let host = ScriptedHost(name: "head")
        let content = NodeContent(host: host.host, folder: "/content")
        let blob = Blob(digest: Digest(of: "full".utf8), size: 4)
        let file = "/content/\(blob.digest.hex)"
        await #expect {
            try await content.damages(in: [blob])
        } throws: {
            "\($0)" == "there is no /content on head: its containerd keeps its content elsewhere"
        }
        host.place(.directory(.ownerReadWriteExecute, .root), at: "/content")
        let hash: Command = ["sha256sum", "--", file]
        host.answer(hash, output: "\(blob.digest.hex)  \(file)\n")
        #expect(try await content.damages(in: [blob]) == [])
        host.answer(hash, output: "\(Digest(of: "empty".utf8).hex)  \(file)\n")
        #expect(try await content.damages(in: [blob]) == ["\(blob.digest) is damaged"])
        host.answer(hash, Outcome(status: 1, errors: "sha256sum: \(file): No such file or directory\n"))
        #expect(
            try await content.damages(in: [blob]) == [
                "\(blob.digest) cannot be read: sha256sum: \(file): No such file or directory"
            ])
    }
}
