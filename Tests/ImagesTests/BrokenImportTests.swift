import Containerd
import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Imports that end in the middle, and those after them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct BrokenImportTests {
    /// Two images on one base, some 18 MiB.
    private func images(in containerd: PrivateContainerd) throws -> [ArchivedImage] {
        var (one, two) = (Sample.large, Sample.large)
        (one.name, two.name) = ("docker.io/library/one:1", "docker.io/library/two:1")
        two.layers[1] = Tar(members: [.file("other", Array(one.layers[1].reversed()))]).bytes
        return [try containerd.image("one.tar", one.docker), try containerd.image("two.tar", two.oci)]
    }

    private func loads(_ images: [ArchivedImage], _ holdings: Holdings) -> [ImageLoad] {
        var (loads, holdings) = ([ImageLoad](), holdings)
        for image in images {
            guard let load = holdings.lacks(image) else { continue }
            loads.append(load)
            holdings = holdings.adding(load)
        }
        return loads
    }

    /// Cut at 20 moments, each in a store that is empty; then the next run makes it whole, and sends no blob that was
    /// committed, and of those that were begun only the rest.
    @Test func cutAtAnyMomentTheNextRunSendsTheRest() async throws {
        var seed = SystemRandomNumberGenerator()
        try await PrivateContainerd.with { containerd in
            let images = try images(in: containerd)
            let whole = Set(images.flatMap(\.blobs)).reduce(0) { $0 + Int($1.size) }
            for _ in 0..<20 {
                let moment = Int.random(in: 0...whole, using: &seed)
                let gateway = try Gateway(
                    at: containerd.folder.path.appending("cut.sock"), to: containerd.socket, cutAfter: moment)
                let cut = ContainerdStore(on: "here", at: gateway.path)
                await #expect(throws: ImageError.self, "cut after \(moment)") {
                    _ = try await cut.load(loads(images, Holdings()), LoadListener())
                }
                gateway.close()
                // Not even containerd's garbage collection takes what arrived.
                _ = try await containerd.collected()
                let between = try await containerd.store.holdings()
                for image in images where between.records[image.names[0].description] != nil {
                    #expect(between.lacks(image) == nil, "cut after \(moment): it is named and not whole")
                }
                let rest = Set(loads(images, between).flatMap(\.missing))
                let begun = try await containerd.api.begun()
                let there = rest.reduce(0) { $0 + (begun["jhub-install-\($1.digest)"] ?? 0) }
                let counter = try Gateway(at: containerd.folder.path.appending("count.sock"), to: containerd.socket)
                let effort = try await ContainerdStore(on: "here", at: counter.path)
                    .load(loads(images, between), LoadListener())
                #expect(effort.bytes == rest.reduce(0) { $0 + $1.size } - there, "cut after \(moment)")
                // What goes over the socket beside the blobs is some kilobytes.
                #expect(counter.sent < Int(effort.bytes) + 200_000, "cut after \(moment)")
                counter.close()
                let after = try await containerd.store.holdings()
                #expect(images.allSatisfy { after.lacks($0) == nil }, "cut after \(moment)")
                #expect(try await containerd.api.leases().isEmpty)
                for image in images { _ = try await containerd.ctr("images", "rm", image.names[0].description) }
                _ = try await containerd.collected()
                #expect(try await containerd.store.holdings().content.isEmpty)
            }
        }
    }

    /// As a power cut does: the length is there, the bytes are not.
    @Test func whatAPowerCutSpoiledIsSentAfresh() async throws {
        try await PrivateContainerd.with { containerd in
            let image = try containerd.image("a.tar", Sample.large.oci)
            let gateway = try Gateway(
                at: containerd.folder.path.appending("cut.sock"), to: containerd.socket, cutAfter: 4 << 20)
            await #expect(throws: ImageError.self) {
                _ = try await ContainerdStore(on: "here", at: gateway.path)
                    .load(loads([image], Holdings()), LoadListener())
            }
            gateway.close()
            let ingests = containerd.folder.path.appending("root/io.containerd.content.v1.content/ingest")
            var spoiled = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: ingests.string) {
                let file = ingests.appending(name).appending("data")
                // What was whole when the cut came is being put in place yet.
                guard let size = try? Stat(file).size else { continue }
                try overwrite(file, at: 0, [UInt8](repeating: 0, count: Int(size)))
                spoiled += 1
            }
            #expect(spoiled > 0)
            try await containerd.load(image)
            #expect(try await containerd.store.holdings().lacks(image) == nil)
        }
    }

    @Test(arguments: ["a.tar", "layout"])
    func aStickThatIsPulledOutIsNamedAndTheNextRunSendsTheRest(form: String) async throws {
        try await PrivateContainerd.with { containerd in
            let folder = containerd.folder
            // More than pipes and sockets hold: the stick is still read when it is pulled out.
            var sample = Sample(layers: [])
            sample.layers = [Tar(members: [.file("big", Sample.large.layers.flatMap { $0 + $0 })]).bytes]
            let members = sample.oci
            try await Stick.with(
                in: folder,
                fill: { _ in
                    if form == "a.tar" {
                        _ = try folder.write("stick/a.tar", members)
                    } else {
                        _ = try folder.unpack(members, as: "stick/layout")
                    }
                },
                { stick in
                    let image = try #require(try folder.shelf(stick.path.appending(form)).images().first)
                    let gateway = try Gateway(
                        at: folder.path.appending("pull.sock"), to: containerd.socket, after: 2 << 20, stick.pull)
                    let error = await #expect(throws: ImageError.self) {
                        _ = try await ContainerdStore(on: "here", at: gateway.path)
                            .load(loads([image], Holdings()), LoadListener())
                    }
                    gateway.close()
                    #expect(error?.description.hasPrefix("could not read \(stick.path)/\(form)") == true)
                    #expect(error?.description.contains("Input/output error") == true, "\(error?.reason ?? "")")
                    #expect(error?.description.contains("\n") == false)
                    #expect(try await containerd.store.holdings().records.isEmpty)
                    try await stick.putInAgain()
                    let effort = try await containerd.load(image)
                    #expect(effort.bytes < image.blobs.reduce(0) { $0 + $1.size })
                    #expect(try await containerd.store.holdings().lacks(image) == nil)
                })
        }
    }

    @Test func anArchiveThatLostAMemberSinceItWasReadIsNoticed() async throws {
        try await PrivateContainerd.with { containerd in
            let image = try containerd.image("a.tar", Sample().oci)
            _ = try containerd.folder.write("a.tar", Sample(layers: ["base", "another"]).oci)
            let error = await #expect(throws: ImageError.self) { try await containerd.load(image) }
            #expect(error?.description.contains("a.tar: it lacks 'blobs/sha256/") == true, "\(error?.reason ?? "")")
            #expect(try await containerd.store.holdings().records.isEmpty)
        }
    }

    @Test func oneThatIsCutOffInALayerIsNoticed() async throws {
        try await PrivateContainerd.with { containerd in
            let bytes = Tar(members: Sample.large.oci).bytes
            let image = try containerd.image("a.tar", Sample.large.oci)
            _ = try containerd.folder.write("a.tar", Array(bytes.prefix(9 << 20)))
            let error = await #expect(throws: ImageError.self) { try await containerd.load(image) }
            #expect(error?.description.contains("a.tar") == true && error?.description.contains("\n") == false)
            #expect(try await containerd.store.holdings().records.isEmpty)
            _ = try containerd.folder.write("a.tar", bytes)
            #expect(try await containerd.load(image).bytes < image.blobs.reduce(0) { $0 + $1.size })
        }
    }
}
