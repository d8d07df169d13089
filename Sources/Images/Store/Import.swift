import Containerd
import Dispatch
import FoundationEssentials
import SystemPackage

/// One import of images: what is to be sent, what is to be unpacked, and what
/// to do once both are there, all of it side by side as far as it can be.
struct Import: Sendable {
    let loads: [ImageLoad]
    let holdings: Holdings
    /// Bytes of each ingest that an earlier run left.
    let begun: [String: Int64]
    let containerd: Containerd
    let node: String
    let listener: LoadListener
    let meter = Meter()
    let milestones: Milestones
    let links: [Digest: [String: String]]
    /// The first image that has the blob, for messages.
    private let owners: [Digest: ImageReference]
    private let gate: Gate

    init(
        loads: [ImageLoad], holdings: Holdings, begun: [String: Int64], containerd: Containerd, node: String,
        listener: LoadListener
    ) {
        // The layers of one image unpack one after the other: what stands on the largest stack begins first.
        self.loads = loads.sorted { $0.packedBytes > $1.packedBytes }
        (self.holdings, self.begun) = (holdings, begun)
        (self.containerd, self.node, self.listener) = (containerd, node, listener)
        var links: [Digest: [String: String]] = [:]
        var owners: [Digest: ImageReference] = [:]
        for load in loads {
            for blob in load.image.blobs { owners[blob.digest] = owners[blob.digest] ?? load.references.first }
            for (digest, labels) in load.image.links(with: holdings.snapshotter) {
                links[digest, default: [:]].merge(labels) { one, _ in one }
            }
        }
        (self.links, self.owners) = (links, owners)
        milestones = Milestones(
            reached: Set(holdings.content.keys.map { .blob($0) } + holdings.snapshots.map { .chain($0) }))
        gate = Gate(max(2, ProcessInfo.processInfo.activeProcessorCount))
    }

    func run() async throws -> Effort {
        for load in loads {
            for name in load.references where load.image.target(for: name) == nil {
                throw ImageError(
                    "give", "\(name)", "\(load.image.archive) holds \(load.image.target) and not that digest")
            }
        }
        let shipments = Shipment.all(of: loads, to: holdings, begun: begun)
        let progress = Progress(total: shipments.reduce(0) { $0 + $1.bytes }, meter, listener)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let queue = Queue(shipments)
            // A source keeps about one core of containerd busy, which unpacks beside. With cores to spare there are two:
            // while one waits for its disk or inflates, the store has something to do.
            for _ in 0..<(ProcessInfo.processInfo.activeProcessorCount > 2 ? 2 : 1) {
                group.addTask {
                    while let next = queue.next() {
                        if listener.isInterrupted() { await drop(next) } else { try await send(next, progress) }
                    }
                }
            }
            for unpacking in unpackings() { group.addTask { try await unpack(unpacking) } }
            for load in loads { group.addTask { try await finish(load) } }
            do {
                for try await _ in group {}
            } catch {
                await milestones.fail(error)
                throw error
            }
        }
        guard await !milestones.isAnyDropped else { throw ImageError("load images on", node, "interrupted") }
        return meter.effort
    }

    /// What comes from this source is left to the next run.
    private func drop(_ shipment: Shipment) async {
        for wanted in shipment.wanted { await milestones.drop(.blob(wanted.blob.digest)) }
    }

    private struct Unpacking: Sendable {
        var layer: Layer
        var name: Digest
        var parent: Digest?
    }

    /// Each chain id once, whichever images have it.
    private func unpackings() -> [Unpacking] {
        var seen = holdings.snapshots
        var unpackings: [Unpacking] = []
        for image in loads.map(\.image) {
            var parent: Digest?
            for (layer, name) in zip(image.layers, image.chain) {
                if seen.insert(name).inserted {
                    unpackings.append(Unpacking(layer: layer, name: name, parent: parent))
                }
                parent = name
            }
        }
        return unpackings
    }

    private func unpack(_ unpacking: Unpacking) async throws {
        let layer = unpacking.layer
        do {
            try await milestones.wait(for: .blob(layer.blob.digest))
            if let parent = unpacking.parent { try await milestones.wait(for: .chain(parent)) }
        } catch is Milestones.Dropped {
            return await milestones.drop(.chain(unpacking.name))
        }
        try await gate.through {
            let start = ContinuousClock.now
            meter.begin(.unpacking)
            defer { meter.end(.unpacking) }
            do {
                try await containerd.unpack(
                    Containerd.Unpacking(
                        snapshotter: holdings.snapshotter,
                        layer: Containerd.Descriptor(
                            mediaType: layer.mediaType, digest: layer.blob.digest.description, size: layer.blob.size),
                        difference: layer.difference.description, name: unpacking.name.description,
                        parent: unpacking.parent?.description ?? ""),
                    within: Self.patience(for: layer.blob))
            } catch {
                throw ImageError("unpack", "the layer \(place(of: layer.blob))", "\(error)").withRemedy
            }
            meter.unpacked(layer, in: start.duration(to: .now))
        }
        await milestones.reach(.chain(unpacking.name))
    }

    /// Names it, once nothing of it is missing.
    private func finish(_ load: ImageLoad) async throws {
        do {
            for blob in load.image.blobs { try await milestones.wait(for: .blob(blob.digest)) }
            if let top = load.image.chain.last { try await milestones.wait(for: .chain(top)) }
        } catch is Milestones.Dropped {
            return
        }
        do throws(ContainerdError) {
            try await name(load)
        } catch {
            throw ImageError("name", "\(load.references[0]) on \(node)", "\(error)").withRemedy
        }
        try listener.loaded(load)
    }

    private func name(_ load: ImageLoad) async throws(ContainerdError) {
        for (digest, wanted) in load.image.links(with: holdings.snapshotter) {
            guard let labels = holdings.content[digest] else { continue }
            let missing = Links.missing(wanted, from: labels)
            if !missing.isEmpty { try await containerd.label(digest.description, missing) }
        }
        for name in load.references {
            guard let target = load.image.target(for: name) else { continue }
            try await containerd.put(
                Containerd.Image(
                    name: name.description,
                    target: Containerd.Descriptor(
                        mediaType: target.mediaType, digest: target.blob.digest.description, size: target.blob.size),
                    labels: Pin.label))
        }
    }

    /// "sha256:… of IMAGE on NODE"
    func place(of blob: Blob) -> String {
        "\(blob.digest)" + (owners[blob.digest].map { " of \($0)" } ?? "") + " on \(node)"
    }

    /// 2 MiB a second is what the slowest disk that a node may have takes.
    static func patience(for blob: Blob) -> Duration { .seconds(600 + blob.size >> 21) }
}
