import Containerd
import FoundationEssentials
package import SystemPackage

/// The images of a node's containerd, by its socket on this machine.
package struct ContainerdStore: ImageStore {
    /// The node's name, for messages.
    package var name: String
    let containerd: Containerd

    package init(on name: String, at socket: FilePath) {
        (self.name, containerd) = (name, Containerd(at: socket))
    }

    package func holdings() async throws -> Holdings {
        do {
            return try await asked(containerd)
        } catch let error as ContainerdError {
            throw said("ask for the images of", error)
        }
    }

    func said(_ attempt: String, _ error: ContainerdError) -> ImageError { ImageError(attempt, name, "\(error)") }

    private func asked(_ containerd: Containerd) async throws -> Holdings {
        async let images = containerd.images()
        async let contents = containerd.contents()
        var holdings = Holdings()
        for content in try await contents {
            holdings.content[try Digest(parsing: content.digest)] = content.labels
        }
        for image in try await images {
            holdings.records[image.name] = Holdings.Record(
                digest: try Digest(parsing: image.target.digest), labels: image.labels)
        }
        holdings.snapshotter = try await snapshotter(holdings)
        // Chain ids are digests; what else there is belongs to somebody else.
        let names = try await containerd.snapshots(of: holdings.snapshotter)
        holdings.snapshots = Set(names.compactMap { try? Digest(parsing: $0) })
        return holdings
    }

    /// That of the kubelet's side: what another has unpacked it would unpack again. Where it does not say, the one that
    /// unpacked what is there; else its default.
    private func snapshotter(_ holdings: Holdings) async throws -> String {
        if let told = try await containerd.kubeletsSnapshotter() { return told }
        let keys = holdings.content.values.flatMap(\.keys)
        if let used = keys.first(where: { $0.hasPrefix(Links.snapshot) }) {
            return String(used.dropFirst(Links.snapshot.count))
        }
        let found = try await containerd.snapshotters()
        guard let fault = found[Holdings.usualSnapshotter] else {
            throw unknown("has no \(Holdings.usualSnapshotter), but \(found.keys.sorted().joined(separator: ", "))")
        }
        if let fault { throw unknown("says that \(Holdings.usualSnapshotter) does not work: \(fault)") }
        return Holdings.usualSnapshotter
    }

    private func unknown(_ reason: String) -> ImageError {
        ImageError(
            "ask for the images of", name,
            "nothing tells what unpacks them for the kubelet: it says nothing (CRI is off or still starting), nothing is "
                + "unpacked yet, and containerd \(reason)")
    }

    package func load(_ loads: [ImageLoad], _ listener: LoadListener) async throws -> Effort {
        var leased = containerd
        do {
            let before = try await containerd.leases().filter { $0.hasPrefix(Self.lease) }
            let name = "\(Self.lease)-\(UInt64.random(in: 0 ... .max))"
            let end = Date(timeIntervalSinceNow: Self.leaseTime).formatted(.iso8601)
            try await containerd.makeLease(name, labels: ["containerd.io/gc.expire": end])
            leased.lease = name
            try await hold(loads, under: leased)
            // Asked again: what was cleared away until now is not there, and nothing is from now on.
            let work = Import(
                loads: loads, holdings: try await asked(containerd), begun: try await containerd.begun(),
                containerd: leased, node: self.name, listener: listener)
            let effort = try await work.run()
            // Only now: what this run did not need an earlier one may have begun for it.
            for lease in before + [name] { try await containerd.endLease(lease) }
            return effort
        } catch let error as ContainerdError {
            throw ImageError("load images on", name, "\(error)").withRemedy
        }
    }

    /// Nothing that these images need may be cleared away while they are not yet named.
    private func hold(_ loads: [ImageLoad], under leased: Containerd) async throws {
        let holdings = try await asked(containerd)
        var held: Set<Digest> = []
        for load in loads where load.lacks != [.pin] {
            for blob in load.image.blobs where holdings.content[blob.digest] != nil {
                if held.insert(blob.digest).inserted { try await leased.hold(content: blob.digest.description) }
            }
            // The highest that is there holds those below it.
            guard let top = load.image.chain.last(where: { holdings.snapshots.contains($0) }) else { continue }
            try await leased.hold(snapshot: top.description, of: holdings.snapshotter)
        }
    }

    /// Begins the names of our leases.
    private static let lease = "jhub-install"
    /// In seconds: so long what a broken run left waits for the next one.
    private static let leaseTime = 24.0 * 3600
}

extension ImageError {
    /// With what to do about it, where that is plain.
    var withRemedy: ImageError {
        guard reason.contains("no space left on device") else { return self }
        var error = self
        error.reason += "; free some there, and run the same command again"
        return error
    }
}
