/// The images of an archive while its lists are read: each once, with all its names.
struct Gathering {
    private(set) var images: [ArchivedImage] = []
    private(set) var names: Set<ImageReference> = []
    private var places: [Digest: Int] = [:]
    private var named: Set<Naming> = []
    /// In bytes. A list may lead to one document any number of times; so many are decoded in all.
    private var left: Int64 = 256 << 20

    private struct Naming: Hashable {
        var target: Digest
        var name: ImageReference
    }

    mutating func add(_ image: ArchivedImage, _ names: [ImageReference]) {
        if places[image.target] == nil {
            places[image.target] = images.count
            images.append(image)
        }
        for name in names { self.name(image.target, name) }
    }

    mutating func name(_ target: Digest, _ name: ImageReference) {
        guard let place = places[target], named.insert(Naming(target: target, name: name)).inserted else { return }
        names.insert(name)
        images[place].names.append(name)
    }

    /// False where there is more to decode than any list of images leads to.
    mutating func affords(_ size: Int64) -> Bool {
        left -= size
        return left >= 0
    }
}
