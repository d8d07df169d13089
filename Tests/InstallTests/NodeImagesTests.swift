import SystemPackage
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
}
