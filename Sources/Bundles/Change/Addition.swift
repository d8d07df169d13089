import FoundationEssentials
import Glibc
package import Images
package import SystemPackage

/// Puts files into a bundle: the images of archives into its layout, all else at its place.
package struct Addition: Sendable {
    package let path: FilePath
    private var archives: [FilePath] = []
    private var carried: [BundleMaker.Carried] = []
    private let name: ImageReference?

    package struct Outcome: Hashable, Sendable {
        /// Names, sorted.
        package var images: [String] = []
        /// Paths in the bundle.
        package var files: [String] = []
        /// It was signed, and what was signed is no more.
        package var lostSignature = false
    }

    /// - Parameters:
    ///   - path: A bundle, or a directory that becomes one.
    ///   - files: Snaps with their assertions beside them, charts (.tgz), packages, manifests; all else has to be an
    ///     archive of images, or an image layout.
    ///   - name: For the one image among them that has none.
    package init(to path: FilePath, of files: [FilePath], naming name: ImageReference? = nil) throws {
        (self.path, self.name) = (path, name)
        for file in files {
            guard FileEntry(at: file) != nil else { throw BundleFault("there is no file \(file)", blame: .machine) }
            let name = file.lastComponent?.string ?? ""
            switch file.extension {
            case "snap":
                let assertion = file.removingLastComponent().appending((file.stem ?? "") + ".assert")
                guard FileEntry(at: assertion) != nil else {
                    throw BundleFault(
                        "\(file) has no assertion \(assertion) beside it: without, snapd takes no snap: fetch it with "
                            + "'snap download'", blame: .machine)
                }
                carry(file, "snaps/\(name)")
                carry(assertion, "snaps/\(assertion.lastComponent?.string ?? "")")
            case "assert": carry(file, "snaps/\(name)")
            case "tgz":
                switch try TarballKind(of: file) {
                case .chart: carry(file, "charts/\(name)")
                case .images: archives.append(file)
                }
            case "deb": carry(file, "packages/\(name)")
            case "yaml", "yml": carry(file, "manifests/\(name)")
            default: archives.append(file)
            }
        }
    }

    private mutating func carry(_ file: FilePath, _ place: String) {
        carried.append(BundleMaker.Carried(file, at: place, needs: []))
    }

    /// Describes the bundle anew when all is there; interrupted, it goes on when it is run again.
    ///
    /// - Parameter index: Where what archives hold is remembered.
    package func run(
        index: FilePath, filling: @escaping ByteReport = { _, _ in }, hashing: @escaping ByteReport = { _, _ in }
    ) async throws -> Outcome {
        let before = try description()
        let isSigned = FileEntry(at: path.appending(Reserved.signatures)) != nil
        let supply = try ArchiveSupply(ImageShelf(archives: archives, index: index), name: "the archives")
        let chosen = try supply.all(naming: name)
        let layout = try LayoutWriter(at: path.appending("images"))
        try await LayoutFiller(layout, chosen.map(\.image)).fill(report: filling)
        for file in carried { for one in try file.files() { try one.copy(to: path) } }

        let added = Set(chosen.flatMap(\.names).map(\.description))
        var images = Self.without(added, before?.images ?? [])
        for image in chosen {
            let names = image.names.map(\.description)
            let needs = (before?.images ?? []).filter { !Set($0.names).isDisjoint(with: names) }.flatMap(\.needs)
            images.append(
                .init(names: names, digest: image.image.target.digest, needs: needs, blobs: image.image.blobs))
        }
        try layout.writeIndex(try entries(without: added) + BundleMaker.entries(chosen))
        try removeBlobs(but: Set(images.flatMap(\.blobs).map(\.digest)))
        let created = try [before?.created, BundleMaker.newest(of: chosen, in: layout)].compactMap(\.self).max()
        try BundleWriter(at: path).write(
            .init(
                created: created ?? "1970-01-01T00:00:00Z", platform: before?.platform ?? .linuxAMD64,
                system: before?.system, versions: before?.versions ?? [:], images: images,
                needs: Dictionary((before?.files ?? []).map { ($0.path, $0.needs) }) { one, _ in one },
                omitted: before?.omitted ?? []),
            report: hashing)
        return Outcome(
            images: added.sorted(), files: carried.map(\.place),
            lostSignature: isSigned && FileEntry(at: path.appending(Reserved.signatures)) == nil)
    }

    private func description() throws(BundleFault) -> BundleDescription? {
        guard FileEntry(at: path.appending(Reserved.description)) != nil else { return nil }
        let folder = try BundleFolder(opening: path)
        guard folder.volumes == nil else { throw BundleFault("\(path) is a volume of a bundle: take the whole bundle") }
        return folder.description
    }

    /// A name that comes anew leaves the image that had it.
    private static func without(_ names: Set<String>, _ images: [BundleDescription.Image]) -> [BundleDescription.Image]
    {
        images.compactMap { image in
            var image = image
            image.names.removeAll(where: names.contains)
            return image.names.isEmpty ? nil : image
        }
    }

    /// What stands in index.json, less these names.
    private func entries(without names: Set<String>) throws(BundleFault) -> [LayoutWriter.Entry] {
        let index = path.appending("images").appending("index.json")
        guard FileEntry(at: index) != nil else { return [] }
        let text = try trying("read", index) { try SmallFile.read(index, upTo: BundleDescription.largestText) }
        guard let manifests = try? JSONDecoder().decode(ManifestDocument.self, from: Data(text)).manifests else {
            throw BundleFault("\(index) is no index of images: mend the bundle first")
        }
        return manifests.compactMap { descriptor in
            let name = descriptor.annotations?["io.containerd.image.name"]
            guard let name, !names.contains(name) else { return nil }
            return LayoutWriter.Entry(
                name: name, blob: Blob(digest: descriptor.digest, size: descriptor.size),
                mediaType: descriptor.mediaType ?? MediaType.manifest,
                platform: descriptor.platform.map { Platform(os: $0.os, architecture: $0.architecture) })
        }
    }

    private func removeBlobs(but kept: Set<Digest>) throws(BundleFault) {
        let folder = LayoutWriter.blobs(in: path.appending("images"))
        let names = Set(kept.map(\.hex))
        try trying("remove blobs that no image has now from", folder) {
            for name in try Tree.names(in: folder) where !names.contains(name) {
                try system(unlink(folder.appending(name).string))
            }
        }
    }
}
