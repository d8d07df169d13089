import Containerd
import Hosts
import Images
import SystemPackage
import TestSupport
import Testing

extension PrivateContainerd {
    var folder: Folder { Folder(path: root) }
    var store: ContainerdStore { ContainerdStore(on: "here", at: socket) }
    var api: Containerd { Containerd(at: socket) }

    /// A word about it where there is no containerd; under CI that fails.
    static func with(
        without plugins: [String] = [Self.kubelets], configuration more: String = "",
        _ body: (PrivateContainerd) async throws -> Void
    ) async throws {
        guard try await isPossible() else { return try missing("\(needs) are needed to load images") }
        try await Folder.with { folder in
            let containerd = PrivateContainerd(in: folder.path)
            try await containerd.run(without: plugins, with: more) { try await body(containerd) }
        }
    }
}

extension PrivateContainerd {
    func image(_ name: String, _ members: [Tar.Member]) throws -> ArchivedImage {
        try #require(try folder.shelf(try folder.write(name, members)).images().first)
    }

    @discardableResult
    func load(_ image: ArchivedImage) async throws -> Effort {
        try await store.load([try #require(try await store.holdings().lacks(image))], LoadListener())
    }

    /// After a round of containerd's garbage collection.
    func collected() async throws -> Outcome {
        let name = "round-\(UInt64.random(in: 0 ... .max))"
        _ = try await ctr("leases", "create", "--id", name)
        return try await ctr("leases", "rm", "--sync", name)
    }
}
