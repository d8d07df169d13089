import Hosts
package import Images

/// Every image that this config needs is on the node, by digest, before anything asks for it.
package struct LoadImages: Stage {
    package enum Choice: Hashable, Sendable {
        /// What the config makes the cluster run, and what the cluster runs by itself.
        case wanted
        /// All that the bundle holds, by all names that it has there.
        case carried
        /// These alone.
        case named([ImageReference])
    }

    package let name = "images"
    package let title = "Load the images"
    private let choice: Choice

    package init(_ choice: Choice = .wanted) { self.choice = choice }

    package func plan(for site: Site) async throws -> Plan {
        guard try await site.node.transport.state(of: site.provider.socket) != nil else {
            return .waits(for: "containerd's socket \(site.provider.socket)")
        }
        let shelf = try site.bundle.shelf().images()
        let names =
            switch choice {
            case .wanted: try await site.neededImages()
            case .carried: shelf.flatMap(\.names)
            case .named(let names): names
            }
        return .of(try await site.loads(of: names, from: shelf))
    }
}

extension Site {
    /// What the config makes the cluster run, and what the cluster runs by itself.
    package func neededImages() async throws -> [ImageReference] { try await wanted().images.map(\.reference) }

    /// The changes that bring these images to the node; none where they are all there. A BundleError names those that
    /// are nowhere.
    package func loads(of references: [ImageReference]) async throws -> [Change] {
        try await loads(of: references, from: try bundle.shelf().images())
    }

    func loads(of references: [ImageReference], from shelf: [ArchivedImage]) async throws -> [Change] {
        var holdings = try await images.holdings()
        var found: [(image: ArchivedImage, names: [ImageReference])] = []
        var absent: [ImageReference] = []
        for reference in references {
            if let image = shelf.image(for: reference) {
                // One image under several names is sent once.
                if let place = found.firstIndex(where: { $0.image == image }) {
                    found[place].names.append(reference)
                } else {
                    found.append((image, [reference]))
                }
            } else if !holdings.isWhole(reference) {
                absent.append(reference)
            }
        }
        guard absent.isEmpty || sparesAbsentImages else {
            throw BundleError(
                "no archive in \(bundle.path) holds \(absent.map(\.description).joined(separator: ", ")), "
                    + "and the node has not got it: save it there with 'docker save', under any file name")
        }
        var changes: [Change] = []
        for (image, names) in found {
            guard let load = holdings.lacks(image, as: names) else { continue }
            if let blob = load.missing.first(where: { bundle.omitted.contains($0.digest) }) {
                if sparesAbsentImages { continue }
                throw BundleError(
                    "the bundle was made for a site that has \(blob.digest) of \(names[0]), and this node has not got it: "
                        + "make one without --have, or with an inventory of this site")
            }
            changes.append(Change(.load(load), because: load.reason))
            // What one image brings, the next need not: images share their bases.
            holdings = holdings.adding(load)
        }
        return changes
    }
}

extension [ArchivedImage] {
    /// The image of that name; or of the same path and tag from another registry, as sites carry Calico from quay.io.
    func image(for reference: ImageReference) -> ArchivedImage? {
        first { $0.names.contains(reference) }
            ?? first { $0.names.contains { ($0.repository, $0.tag) == (reference.repository, reference.tag) } }
    }
}

extension ImageReference {
    /// Calico's images as quay.io has them; all others as they are.
    var calicoFromQuay: ImageReference {
        guard registry == "docker.io", repository.hasPrefix("calico/"), let tag else { return self }
        return (try? ImageReference(parsing: "quay.io/\(repository):\(tag)")) ?? self
    }
}

extension ImageLoad {
    fileprivate var reason: String {
        if lacks.contains(.content) { return "it is not on the node" }
        return "its \(lacks.map(\.rawValue).sorted().joined(separator: ", ")) is missing"
    }
}
