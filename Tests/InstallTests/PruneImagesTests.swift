import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Install

/// Which images may go.
@Suite struct PruneImagesTests {
    var machine: PreflightMachine
    let cluster: StubCluster
    private let folder: TestFolder
    private static let old = "quay.io/jupyterhub/k8s-hub:4.1.0"

    init() async throws {
        machine = try PreflightMachine()
        machine.settings.clusterProvider = .existing
        machine.provider = ExistingCluster(kubeconfig: "/k", socket: "/s", helm: "helm")
        (cluster, folder) = (try StubCluster(), try TestFolder())
        machine.host["/k"] = cluster.kubeconfig
        try machine.drop("k8s-hub-4.2.0.tar")
        try await hold([Self.old])
        try brought([Self.old])
    }

    /// Containers of these images run.
    private func runs(_ images: Set<String>) { machine.held.use(images) }

    /// All wanted images are there, and these names of one more.
    private func hold(_ names: [String]) async throws {
        var images = try await machine.neededImages()
        var extra = images[0]
        extra.names = try names.map { try ImageReference(parsing: $0) }
        extra.target = Digest(of: "old".utf8)
        images.append(extra)
        machine.hold(images)
    }

    private func brought(_ names: [String]) throws {
        let lines = names.map { #"{"change":"load","images":["\#($0)"],"result":"done"}"# + "\n" }.joined()
        try folder.put("changes.jsonl", lines)
    }

    private func removed() async throws -> [[String]] {
        defer { machine.remove() }
        let plan = try await PruneImages(record: Record(in: folder.path, run: "today")).plan(for: machine.site)
        guard case .changes(let changes) = plan else { return [] }
        return changes.compactMap { if case .unload(let names) = $0.action { names } else { nil } }
    }

    @Test func whatNothingUsesGoes() async throws { #expect(try await removed() == [[Self.old]]) }

    @Test func whatOthersBroughtStays() async throws {
        try brought([])
        #expect(try await removed() == [])
        try folder.put("changes.jsonl", #"{"change":"load","images":["\#(Self.old)"],"result":"began"}"# + "\n")
        #expect(try await removed() == [])
    }

    @Test func anImageWithANameOfSomebodyElsesStays() async throws {
        try await hold([Self.old, "registry.site/hub:1"])
        #expect(try await removed() == [])
    }

    @Test func whatAContainerHasStays() async throws {
        runs([Self.old])
        #expect(try await removed() == [])
    }

    @Test(arguments: [
        ("/api/v1/pods", #"{"spec": {"containers": [{"name": "c", "image": "\#(old)"}]}}"#),
        (
            "/apis/apps/v1/deployments",
            #"{"spec": {"template": {"spec": {"initContainers": [{"name": "c", "image": "\#(old)"}]}}}}"#
        ),
    ])
    func whatAPodHasOrWillHaveStays(_ path: String, _ item: String) async throws {
        cluster[path] = try JSON(parsing: #"{"items": [\#(item)]}"#)
        #expect(try await removed() == [])
    }

    @Test func withoutTheClustersWordNothingGoes() async throws {
        machine.host["/k"] = nil
        await #expect(throws: NoCluster.self) { try await removed() }
    }

    @Test func whatWasLoadedStandsInTheRecord() async throws {
        let record = Record(in: folder.path.appending("record"), run: "today")
        #expect(try record.images() == [])
        let image = try #require(try await machine.neededImages().first)
        let load = ImageLoad(image: image, references: image.names, missing: [], packed: [], lacks: [.name])
        let change = Change(.load(load), because: "it is not on the node")
        let entry = try await record.begin(change, stage: "images", on: machine.site)
        #expect(try record.images() == [])
        try record.end(entry, "done")
        #expect(try record.images() == [image.names[0].description])
    }
}
