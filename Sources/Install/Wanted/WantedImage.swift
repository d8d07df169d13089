package import Images

/// An image that something will ask for.
package struct WantedImage: Hashable, Sendable, CustomStringConvertible {
    package var reference: ImageReference
    /// What asks for it: "SINGLEUSER_IMAGE", "chart jupyterhub-4.2.0: Deployment hub", "MicroK8s: addon dns".
    package var needs: [String]

    package var description: String { "\(reference) (\(needs.joined(separator: ", ")))" }
}

/// All that an installation will ask for, each image once.
package struct Wanted: Hashable, Sendable {
    package private(set) var images: [WantedImage] = []
    /// What could not be looked into, and why: it may ask for more.
    package var doubts: [String] = []

    package init() {}

    mutating func add(_ reference: ImageReference, for need: String) {
        guard let place = images.firstIndex(where: { $0.reference == reference }) else {
            images.append(WantedImage(reference: reference, needs: [need]))
            return
        }
        if !images[place].needs.contains(need) { images[place].needs.append(need) }
    }

    mutating func add(_ other: Wanted) {
        for image in other.images { for need in image.needs { add(image.reference, for: need) } }
        doubts += other.doubts.filter { !doubts.contains($0) }
    }

    /// The same under other names, as a mirror has them.
    func renamed(_ rename: (ImageReference) -> ImageReference) -> Wanted {
        var renamed = Wanted()
        for image in images { for need in image.needs { renamed.add(rename(image.reference), for: need) } }
        renamed.doubts = doubts
        return renamed
    }

    /// Those that the bundle does not hold and the node has not got whole.
    func absent(
        from shelf: [ArchivedImage], _ holdings: Holdings = Holdings(), omitted: Set<Digest> = []
    ) -> [WantedImage] {
        images.filter { image in
            if holdings.isWhole(image.reference) { return false }
            guard let carried = shelf.image(for: image.reference) else { return true }
            return carried.blobs.contains { omitted.contains($0.digest) && holdings.content[$0.digest] == nil }
        }
    }
}
