package import SystemPackage

/// The archives that were carried in, and what they hold.
package struct ImageShelf: Sendable {
    /// Files in any form and compression, and directories of OCI image layouts.
    package var archives: [FilePath]
    /// Layouts that lie in several directories, or lack what the site has.
    package var layouts: [LayoutFolder]
    /// Where what was read is remembered, so that an unchanged archive is not
    /// read again. Only a cache: without it everything is read.
    package var index: FilePath

    package init(archives: [FilePath], layouts: [LayoutFolder] = [], index: FilePath) {
        (self.archives, self.layouts, self.index) = (archives, layouts, index)
    }

    /// Every image of every archive, each name once; throws all archives that cannot be read, or all that contradict
    /// each other. Blocks for as long as reading takes: for a compressed archive that it has not seen yet, the time to
    /// inflate it.
    package func images() throws(ImageError) -> [ArchivedImage] {
        let remembered = ShelfIndex(reading: index)
        var current = ShelfIndex()
        var images: [ArchivedImage] = []
        var faults: [ImageError] = []
        for path in archives {
            let seal = ShelfIndex.Seal(of: path)
            if let seal, let known = remembered.images(of: path, seal) {
                images += known
                current.remember(known, of: path, seal)
                continue
            }
            let found: [ArchivedImage]
            do throws(ImageError) {
                found = try Self.images(in: path)
            } catch {
                faults.append(error)
                continue
            }
            images += found
            // Written to while it was read: then what was read may be of no file that ever was.
            if let seal, seal == ShelfIndex.Seal(of: path) { current.remember(found, of: path, seal) }
        }
        for layout in layouts {
            do throws(ImageError) {
                images += try layout.ociImages()
            } catch {
                faults.append(error)
            }
        }
        if current != remembered { current.write(to: index) }
        try ImageError.throwIfAny(faults)
        return try Self.reconciled(images)
    }

    /// What one archive holds, read from it.
    static func images(in archive: FilePath) throws(ImageError) -> [ArchivedImage] {
        if let stat = try? Stat(archive), stat.type == .directory {
            return try LayoutFolder(at: archive).ociImages()
        }
        let contents = try ArchiveContents(of: archive)
        if contents.has("index.json") { return try contents.ociImages() }
        if contents.has("manifest.json") { return try contents.dockerImages() }
        throw contents.error("it holds no images: there is neither an index.json nor a manifest.json")
    }

    /// Gives each name to one image. Archives may hold one image in several
    /// forms, which have the same config; then a manifest from an archive wins
    /// over one composed here, as registries know its digest.
    private static func reconciled(_ images: [ArchivedImage]) throws(ImageError) -> [ArchivedImage] {
        var owners: [ImageReference: Int] = [:]
        var faults: [ImageError] = []
        for (index, image) in images.enumerated() {
            for name in image.names {
                guard let before = owners[name] else {
                    owners[name] = index
                    continue
                }
                let other = images[before]
                guard other.config == image.config else {
                    let place = other.archive == image.archive ? "" : " and \(image.archive)"
                    let reason =
                        "\(other.archive)\(place) give it different contents (images \(other.target.short) and "
                        + "\(image.target.short))"
                    faults.append(ImageError("choose the image", name.description, reason, isConflict: true))
                    continue
                }
                if other.source.composed != nil, image.source.composed == nil { owners[name] = index }
            }
        }
        try ImageError.throwIfAny(faults)
        return images.enumerated().compactMap { index, image in
            var image = image
            let had = image.names.count
            image.names = image.names.filter { owners[$0] == index }
            return image.names.isEmpty && had > 0 ? nil : image
        }
    }
}
