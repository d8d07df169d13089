package import Images
import SystemPackage

/// How one image stands on the node.
package struct NodeImage: Hashable, Sendable {
    package enum State: String, Sendable {
        /// There, unpacked and pinned.
        case whole
        case missing
        /// Some of it is not there, or not unpacked.
        case half
        /// There, and the kubelet's garbage collection may take it.
        case unpinned
        /// The name means another image than the bundle's.
        case other
        /// There, and nothing of the config wants it.
        case extra
    }

    package var name: String
    /// Nil where neither the node nor the bundle knows.
    package var digest: Digest?
    /// As carried, in bytes; nil where the bundle does not hold it.
    package var bytes: Int64?
    package var state: State
    package var needs: [String]
    /// The image of the bundle for that name.
    package var carried: ArchivedImage?
}

extension Site {
    /// Every image that the config wants, then those that the node has beside them, by name.
    package func nodeImages() async throws -> [NodeImage] {
        let (wanted, shelf) = (try await wanted(), try bundle.shelf().images())
        let holdings = try await images.holdings()
        var found = wanted.images.map { nodeImage($0, shelf.image(for: $0.reference), holdings) }
        let known = Set(found.compactMap { holdings.records[$0.name]?.digest })
        for (name, record) in holdings.records.sorted(by: { $0.key < $1.key }) {
            // The kubelet's side of containerd gives each image names of its own: sha256:CONFIG, NAME@DIGEST.
            guard !found.contains(where: { $0.name == name }), let reference = try? ImageReference(parsing: name),
                !(reference.digest != nil && known.contains(record.digest)), !name.hasPrefix("sha256:")
            else { continue }
            let carried = shelf.image(for: reference)
            found.append(
                NodeImage(
                    name: name, digest: record.digest, bytes: carried?.bytes, state: .extra, needs: [],
                    carried: carried))
        }
        return found
    }

    private func nodeImage(_ wanted: WantedImage, _ carried: ArchivedImage?, _ holdings: Holdings) -> NodeImage {
        let (reference, name) = (wanted.reference, wanted.reference.description)
        let record = holdings.records[name]
        let state: NodeImage.State
        if let record, let carried {
            let lacks = holdings.lacks(carried, as: [reference])?.lacks ?? []
            if lacks.isEmpty {
                state = .whole
            } else if lacks == [.pin] {
                state = .unpinned
            } else {
                state = lacks.contains(.name) && record.digest != carried.target ? .other : .half
            }
        } else if let record {
            state = holdings.isWhole(reference) ? (record.isPinned ? .whole : .unpinned) : .half
        } else {
            state = .missing
        }
        return NodeImage(
            name: name, digest: record?.digest ?? carried?.target, bytes: carried?.bytes, state: state,
            needs: wanted.needs, carried: carried)
    }
}

extension ArchivedImage {
    fileprivate var bytes: Int64 { blobs.reduce(0) { $0 + $1.size } }
}
