import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Install

@Suite struct LoadImagesTests {
    var machine: TestMachine
    private let layer = Blob(digest: Digest(of: "layer".utf8), size: 1000)

    init() throws {
        machine = try TestMachine()
        machine.provider = ExistingCluster(kubeconfig: "/k", socket: "/s", helm: "helm")
        machine.has("/var/lib")
    }

    /// The index of the shelf says what the archives hold, so none has to be read.
    private func image(_ names: String...) throws -> ArchivedImage {
        let manifest = Blob(digest: Digest(of: "manifest \(names[0])".utf8), size: 400)
        let config = Blob(digest: Digest(of: "config \(names[0])".utf8), size: 100)
        return ArchivedImage(
            names: try names.map { try ImageReference(parsing: $0) }, target: manifest.digest, platform: .linuxAMD64,
            config: config.digest, blobs: [manifest, config, layer], archive: "/b/images.tar",
            source: .init(
                mediaType: MediaType.manifest, manifest: manifest, manifestType: MediaType.manifest, members: [:]))
    }

    private func loads(_ names: [String], from shelf: [ArchivedImage]) async throws -> [ImageLoad] {
        let references = try names.map { try ImageReference(parsing: $0) }
        return try await machine.site.loads(of: references, from: shelf).compactMap { change in
            if case .load(let load) = change.action { load } else { nil }
        }
    }

    @Test func aLayerThatTwoImagesShareIsSentOnce() async throws {
        let loads = try await loads(["a/a:1", "b/b:1"], from: [try image("a/a:1"), try image("b/b:1")])
        #expect(loads.map { $0.missing.contains(layer) } == [true, false])
        #expect(loads.map(\.bytes) == [1500, 500])
    }

    @Test func oneImageIsSentOnceUnderItsNames() async throws {
        let loads = try await loads(
            ["a/a:1", "c/c:1", "b/b:1"], from: [try image("a/a:1", "b/b:1"), try image("c/c:1")])
        #expect(loads.map { $0.references.map(\.repository) } == [["a/a", "b/b"], ["c/c"]])
    }

    @Test func anImageOfThatPathAndTagFromAnotherRegistryWillDo() async throws {
        let loads = try await loads(["docker.io/calico/node:v3"], from: [try image("quay.io/calico/node:v3")])
        #expect(loads.map { $0.references.map(\.description) } == [["docker.io/calico/node:v3"]])
        await #expect(throws: BundleError.self) {
            try await self.loads(["docker.io/calico/node:v4"], from: [try image("quay.io/calico/node:v3")])
        }
    }

    @Test func everyImageThatIsNowhereIsNamedAtOnce() async throws {
        let error = await #expect(throws: BundleError.self) { try await loads(["a/a:1", "b/b:1"], from: []) }
        #expect(
            error?.description.contains("holds docker.io/a/a:1, docker.io/b/b:1, and the node has not got it") == true)
    }

    @Test func whatIsNowhereCanBeSpared() async throws {
        var site = machine.site
        site.sparesAbsentImages = true
        let references = try ["a/a:1", "b/b:1"].map { try ImageReference(parsing: $0) }
        let changes = try await site.loads(of: references, from: [try image("b/b:1")])
        #expect(changes.map(\.description) == ["load docker.io/b/b:1 (3 blobs, 1500 bytes) (it is not on the node)"])
    }

    /// A store with this image whole under its name.
    private func holding(_ image: ArchivedImage) throws -> Holdings {
        Holdings().adding(try #require(Holdings().lacks(image)))
    }

    @Test func whatTheNodeHasNeedsNoArchive() async throws {
        let image = try image("a/a:1")
        var machine = machine
        machine.images = StubImages(try holding(image))
        let references = [try ImageReference(parsing: "a/a:1")]
        #expect(try await machine.site.loads(of: references, from: []).isEmpty)
        #expect(try await machine.site.loads(of: references, from: [image]).isEmpty)
    }

    @Test func theReasonSaysWhatIsMissing() async throws {
        let image = try image("a/a:1")
        var holdings = try holding(image)
        holdings.records["docker.io/a/a:1"]?.labels = [:]
        var machine = machine
        machine.images = StubImages(holdings)
        let references = [try ImageReference(parsing: "a/a:1")]
        #expect(try await machine.site.loads(of: references, from: [image]).map(\.reason) == ["its pin is missing"])
        machine.images = StubImages()
        let changes = try await machine.site.loads(of: references, from: [image])
        #expect(changes.map(\.description) == ["load docker.io/a/a:1 (3 blobs, 1500 bytes) (it is not on the node)"])
    }

    @Test func theConfigsImagesAreNeeded() async throws {
        var machine = machine
        machine.settings.allowedCustomImages = ["myorg/r:1", "quay.io/jupyterhub/k8s-hub:4.2.0"]
        #expect(
            try await machine.site.neededImages().map(\.description) == [
                "quay.io/jupyterhub/k8s-hub:4.2.0", "quay.io/jupyterhub/configurable-http-proxy:4.6.3",
                "quay.io/jupyterhub/k8s-singleuser-sample:4.2.0", "docker.io/myorg/r:1",
            ])
        machine.settings.corednsImage = "mirror.example.com/coredns:1.11.1"
        #expect(try await machine.site.neededImages().map(\.description).contains("mirror.example.com/coredns:1.11.1"))
    }

    @Test func calicoComesFromQuayWhereTheConfigSaysSo() async throws {
        var machine = machine
        machine.provider = MicroK8s()
        machine.settings.patchCalico = true
        let names = try await machine.site.neededImages().map(\.description)
        #expect(names.contains("quay.io/calico/node:v3.25.1") && !names.contains("docker.io/calico/node:v3.25.1"))
        #expect(names.contains("docker.io/coredns/coredns:1.10.1"))
    }

    @Test func allThatTheBundleHoldsCanBeLoadedAndNoMore() async throws {
        machine.has(machine.provider.socket)
        let made = try TestBundle()
        var site = machine.site
        site.bundle = try made.opened()
        site.bundle.index = made.folder.path.appending("index.json")
        guard case .changes(let changes) = try await LoadImages(.carried).plan(for: site) else {
            return #expect(Bool(false))
        }
        let loads = changes.compactMap { if case .load(let load) = $0.action { load } else { nil } }
        #expect(loads.map { $0.references.map(\.description) } == [[TestBundle.image]])
        let load = try #require(loads.first)
        #expect(load.missing.count == 3)
        site.images = StubImages(Holdings().adding(load))
        #expect(try await LoadImages(.carried).plan(for: site) == .settled)
        let absent = try ImageReference(parsing: "absent:1")
        await #expect(throws: BundleError.self) { try await LoadImages(.named([absent])).plan(for: site) }
    }

    @Test func withoutItsContainerdTheStageWaits() async throws {
        let machine = try TestMachine()
        guard case .waits(let need) = try await LoadImages().plan(for: machine.site) else {
            return #expect(Bool(false))
        }
        #expect(need.contains("containerd"))
    }
}
