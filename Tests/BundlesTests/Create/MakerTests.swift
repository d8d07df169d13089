import FoundationEssentials
import Hosts
import Images
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Bundles

@Suite struct MakerTests {
    private static let blobs = [StubRegistry.index, StubRegistry.manifest, StubRegistry.config, StubRegistry.layer]

    private func making(_ registry: StubRegistry, in scratch: Scratch, _ wanted: [String]? = nil) -> Making {
        Making(
            target: scratch.path.appending("bundle"), supplies: [RegistrySupply(registry.client())],
            wanted: wanted ?? ["reg.example/team/app:1"])
    }

    @Test func whatARegistryHasBecomesALayoutThatIsRead() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            let making = making(registry, in: scratch)
            let description = try await making.run()
            #expect(description.created == "2024-05-06T07:08:09Z")
            #expect(description.images.map(\.names) == [["reg.example/team/app:1"]])
            #expect(description.images[0].digest == Digest(of: StubRegistry.index.utf8))
            #expect(Set(description.images[0].blobs.map(\.digest)) == Set(Self.blobs.map { Digest(of: $0.utf8) }))
            for text in Self.blobs {
                let file = try scratch.read("bundle/images/blobs/sha256/\(Digest(of: text.utf8).hex)")
                #expect(file == Array(text.utf8))
            }
            let shelf = ImageShelf(
                archives: [making.target.appending("images")], index: scratch.path.appending("index.json"))
            #expect(try shelf.images().map(\.target) == [Digest(of: StubRegistry.index.utf8)])
            #expect(try BundleFolder(opening: making.target).listing() == [])
        }
    }

    @Test func twiceTheSameGivesTheSameBytes() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            let program = try scratch.write("release/bin/program", "x")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.string)
            try scratch.write("release/templates/a.yaml", "a: 1\n")
            try scratch.write("release/templates/__pycache__/a.pyc", "no")
            var making = making(registry, in: scratch)
            making.carried = [.init(scratch.path.appending("release"), at: "jhub-install", needs: ["jhub-install"])]
            try await making.run()
            let first = try everything(in: making.target)
            making.target = scratch.path.appending("other")
            let description = try await making.run()
            #expect(try everything(in: making.target) == first)
            #expect(first["jhub-install/templates/a.yaml"] == Array("a: 1\n".utf8))
            #expect(first.keys.contains { $0.hasSuffix(".pyc") } == false)
            #expect(description.files.filter(\.isProgram).map(\.path) == ["jhub-install/bin/program"])
            #expect(description.files.first { $0.path == "jhub-install/bin/program" }?.needs == ["jhub-install"])
        }
    }

    @Test func aSecondRunFetchesNoBlob() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            let making = making(registry, in: scratch)
            try await making.run()
            let before = registry.requests.count
            try await making.run()
            let later = registry.requests.dropFirst(before).map(\.path)
            #expect(later.allSatisfy { !$0.hasSuffix(StubRegistry.digest(StubRegistry.layer)) })
            #expect(!later.isEmpty)
        }
    }

    @Test func whatWasBrokenOffIsNoBundleAndIsGoneOnWith() async throws {
        let isWell = Flag()
        let registry = try StubRegistry { request, _ in
            guard request.path.hasSuffix(StubRegistry.digest(StubRegistry.layer)), !isWell.isSet else { return nil }
            if request.headers["range"] != nil { return StubResponse(403, "gone") }
            return StubResponse(200, pieces: [String(StubRegistry.layer.prefix(20_000))], isCut: true)
        }
        try await Scratch.during { scratch in
            let making = making(registry, in: scratch)
            await #expect(throws: RegistryError.self) { try await making.run() }
            #expect(throws: BundleFault.self) { try BundleFolder(opening: making.target) }
            isWell.set()
            let before = registry.requests.count
            try await making.run()
            let layer = registry.requests.dropFirst(before).filter {
                $0.path.hasSuffix(StubRegistry.digest(StubRegistry.layer))
            }
            #expect(layer.map { $0.headers["range"] } == ["bytes=20000-"])
            #expect(try BundleFolder(opening: making.target).listing() == [])
        }
    }

    @Test func aPartThatAPowerCutSpoiledBeginsAnew() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            let hex = Digest(of: StubRegistry.layer.utf8).hex
            try scratch.write("bundle/.making", "")
            try scratch.write("bundle/images/blobs/sha256/.\(hex).part", "spoiled")
            let making = making(registry, in: scratch)
            try await making.run()
            #expect(try scratch.read("bundle/images/blobs/sha256/\(hex)") == Array(StubRegistry.layer.utf8))
            let ranges = registry.requests.filter { $0.path.hasSuffix(hex) }.map { $0.headers["range"] }
            #expect(ranges == ["bytes=7-", nil])
        }
    }

    @Test func whatTheSiteHasIsLeftOutAndNamed() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            var making = making(registry, in: scratch)
            making.have = Set(Self.blobs.map { Digest(of: $0.utf8) })
            let description = try await making.run()
            let layer = Digest(of: StubRegistry.layer.utf8)
            #expect(description.omitted == [Blob(digest: layer, size: Int64(StubRegistry.layer.utf8.count))])
            // Documents stay, so that the bundle tells of its images.
            #expect(description.files.count { $0.path.hasPrefix("images/blobs/") } == Self.blobs.count - 1)
            #expect(registry.requests.allSatisfy { !$0.path.hasSuffix("\(layer)") })
            #expect(try BundleFolder(opening: making.target).listing() == [])
        }
    }

    @Test func aFloatingTagIsRefusedWithWhatItMeansToday() async throws {
        let registry = try StubRegistry { request, _ in
            request.path.hasSuffix("/manifests/latest")
                ? StubResponse(
                    200, StubRegistry.index, headers: ["Content-Type": "application/vnd.oci.image.index.v1+json"])
                : nil
        }
        try await Scratch.during { scratch in
            let pin = "reg.example/team/app:latest@\(StubRegistry.digest(StubRegistry.index))"
            var making = making(registry, in: scratch, ["reg.example/team/app"])
            let fault = await #expect(throws: BundleFault.self) { try await making.run() }
            #expect(fault?.description.hasSuffix("--pin \(pin)") == true)
            #expect(fault?.blame == .bundle)
            making.pins = [pin]
            let description = try await making.run()
            #expect(description.images.map(\.names) == [["reg.example/team/app:latest"]])
            #expect(
                registry.requests.last { $0.path.contains("/manifests/") }?.path.hasSuffix(
                    StubRegistry.digest(StubRegistry.manifest)) == true)
        }
    }

    @Test func everyImageThatIsNowhereIsNamedAtOnce() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            let making = making(
                registry, in: scratch, ["reg.example/a:9", "reg.example/team/app:1", "reg.example/b:2"])
            let fault = await #expect(throws: BundleFault.self) { try await making.run() }
            #expect(fault?.description.contains("reg.example/a:9 (TEST)") == true)
            #expect(fault?.description.contains("reg.example/b:2 (TEST)") == true)
            #expect(fault?.description.contains("app:1 (TEST)") == false)
        }
    }

    @Test func theFirstSourceThatHasAnImageGivesIt() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            let archive = scratch.path.appending("a.tar")
            try await Making.archive(["--ref", "reg.example/team/own:1", "--file", "a=b"], at: archive)
            let shelf = ImageShelf(archives: [archive], index: scratch.path.appending("index.json"))
            var making = making(registry, in: scratch, ["reg.example/team/own:1", "reg.example/team/app:1"])
            making.supplies.insert(try ArchiveSupply(shelf, name: "archive"), at: 0)
            let description = try await making.run()
            #expect(description.images.map(\.names) == [["reg.example/team/app:1"], ["reg.example/team/own:1"]])
            #expect(registry.requests.allSatisfy { !$0.path.contains("/own/") })
        }
    }

    @Test func sharedBasesAreCarriedOnce() async throws {
        try await Scratch.during { scratch in
            let base = try scratch.write("base", noise(2_000_000))
            let names = (1...4).map { "demo/app\($0):1" }
            var archives: [FilePath] = []
            for (index, name) in names.enumerated() {
                archives.append(scratch.path.appending("\(index).tar"))
                let own = try scratch.write("own\(index)", noise(100_000, seed: UInt64(index) + 10))
                try await Making.archive(
                    [
                        "--ref", name, "--file", "base=@\(base)", "--layer", "--file", "own=@\(own)", "--format",
                        "docker",
                    ],
                    at: archives[index])
            }
            let shelf = ImageShelf(archives: archives, index: scratch.path.appending("index.json"))
            let making = Making(
                target: scratch.path.appending("bundle"), supplies: [try ArchiveSupply(shelf, name: "archives")],
                wanted: names)
            let description = try await making.run()
            let unique = Set(description.images.flatMap(\.blobs)).reduce(0) { $0 + $1.size }
            let whole = try everything(in: making.target).values.reduce(0) { $0 + $1.count }
            let tars = try archives.reduce(0) { $0 + (try contents(of: $1)).count }
            #expect(Double(whole) <= 1.02 * Double(unique), "\(whole) bytes for \(unique) of unique blobs")
            // Four archives, each with the base: the bundle has it once.
            #expect(Double(whole) < 0.4 * Double(tars), "\(whole) bytes, the archives \(tars)")
            #expect(try BundleFolder(opening: making.target).listing() == [])
        }
    }

    @Test func whatNoLongerBelongsToItGoes() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            var making = making(registry, in: scratch)
            making.carried = [.init(try scratch.write("old.tgz", "old"), at: "charts/old.tgz", needs: ["CHART"])]
            try await making.run()
            making.carried = [.init(try scratch.write("new.tgz", "new"), at: "charts/new.tgz", needs: ["CHART"])]
            try scratch.write("bundle/images/blobs/sha256/\(Digest(of: [1]).hex)", [1])
            let description = try await making.run()
            #expect(description.files.filter { $0.path.hasPrefix("charts/") }.map(\.path) == ["charts/new.tgz"])
            #expect(description.files.count { $0.path.hasPrefix("images/blobs/") } == Self.blobs.count)
        }
    }

    @Test func anotherFoldersFilesAreLeftAlone() async throws {
        let registry = try StubRegistry()
        try await Scratch.during { scratch in
            try scratch.write("bundle/photo.jpg", "mine")
            let fault = await #expect(throws: BundleFault.self) { try await making(registry, in: scratch).run() }
            #expect(fault?.description.contains("holds other things than a bundle") == true)
            #expect(try everything(in: scratch.path.appending("bundle")) == ["photo.jpg": Array("mine".utf8)])
        }
    }

    @Test func aLayerThatIsNotWhatItsNameSaysIsNotKept() async throws {
        let wrong = String(StubRegistry.layer.reversed())
        let registry = try StubRegistry { request, _ in
            request.path.hasSuffix(StubRegistry.digest(StubRegistry.layer)) ? StubResponse(200, wrong) : nil
        }
        try await Scratch.during { scratch in
            let fault = await #expect(throws: BundleFault.self) { try await making(registry, in: scratch).run() }
            #expect(fault?.description.contains("has the digest \(StubRegistry.digest(wrong))") == true)
            let hex = Digest(of: StubRegistry.layer.utf8).hex
            #expect(throws: (any Error).self) { try scratch.read("bundle/images/blobs/sha256/\(hex)") }
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
