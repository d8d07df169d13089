import FoundationEssentials
import Glibc
package import Images
package import SystemPackage

/// Makes a bundle in a directory, in place: bundle.json comes last, so that what was broken off is plainly none, and
/// the next run goes on.
package struct BundleMaker: Sendable {
    package let path: FilePath
    private let layout: LayoutWriter

    /// A file or, where it is a folder, all in it, that is carried as it is.
    package struct Carried: Hashable, Sendable {
        package var source: FilePath
        /// Below the bundle's directory.
        package var place: String
        package var needs: [String]

        package init(_ source: FilePath, at place: String, needs: [String]) {
            (self.source, self.place, self.needs) = (source, place, needs)
        }
    }

    /// Its directory has to be empty, or that of a bundle, whole or begun. A whole one is no bundle from now on.
    package init(at path: FilePath) throws(BundleFault) {
        self.path = path
        let names =
            FileEntry(at: path) == nil ? [] : try trying("read the directory", path) { try Tree.names(in: path) }
        let isOurs = names.contains(Self.mark) || names.contains(Reserved.description)
        guard isOurs || names.allSatisfy({ $0 == "lost+found" }) else {
            throw BundleFault(
                "\(path) holds other things than a bundle: name an empty directory, or that of an earlier run")
        }
        try SmallFile.makeFolder(path)
        try SmallFile.write([], to: path.appending(Self.mark))
        for name in [Reserved.description, Reserved.signatures, Reserved.checkpoints] {
            try Self.remove(path.appending(name))
        }
        layout = try LayoutWriter(at: path.appending("images"))
    }

    /// Stands in a directory whose bundle is being made.
    private static let mark = ".making"

    /// Copies what differs from what stands there.
    package func carry(_ carried: [Carried]) throws(BundleFault) {
        let files = try Self.files(of: carried)
        try requireRoom(for: files.reduce(0) { $0 + $1.size })
        for file in files { try file.copy(to: path) }
    }

    /// What is still to come for these images.
    package func filler(for images: [ChosenImage], without have: Set<Digest>) throws(BundleFault) -> LayoutFiller {
        let filler = LayoutFiller(layout, images.map(\.image), without: Self.omitted(images, have))
        // 1 % for bundle.json, the checkpoints and the file system's own.
        try requireRoom(for: filler.bytes + filler.bytes / 100)
        return filler
    }

    /// Describes what stands there, and takes away what an earlier run left that belongs to nothing now.
    @discardableResult
    package func finish(
        _ images: [ChosenImage], _ carried: [Carried], without have: Set<Digest>, date: String?,
        system: BundleDescription.System?, versions: [String: String], report: @escaping ByteReport
    ) throws(BundleFault) -> BundleDescription {
        let omitted = Self.omitted(images, have)
        let blobs = images.flatMap(\.image.blobs)
        try layout.writeIndex(Self.entries(images))
        var needs: [String: [String]] = [:]
        for one in carried { for file in try one.files() { needs[file.place, default: []] += one.needs } }
        var kept = Set(needs.keys).union(["images/index.json", "images/oci-layout"])
        for blob in blobs where !omitted.contains(blob.digest) {
            kept.insert(LayoutWriter.path(of: blob.digest, in: "images"))
        }
        try removeAll(but: kept)
        let created = if let date { date } else { try Self.newest(of: images, in: layout) }
        let parts = BundleWriter.Parts(
            created: created, system: system, versions: versions,
            images: images.map { chosen in
                BundleDescription.Image(
                    names: chosen.names.map(\.description), digest: chosen.image.target.digest, needs: chosen.needs,
                    blobs: chosen.image.blobs)
            },
            needs: needs, omitted: blobs.filter { omitted.contains($0.digest) })
        let description = try BundleWriter(at: path).write(parts, report: report)
        try Self.remove(path.appending(Self.mark))
        return description
    }

    static func entries(_ images: [ChosenImage]) -> [LayoutWriter.Entry] {
        images.flatMap { chosen in
            let image = chosen.image
            let isIndex = image.mediaType.contains("index") || image.mediaType.contains("list")
            return chosen.names.map { name in
                LayoutWriter.Entry(
                    name: name.description, blob: image.target, mediaType: image.mediaType,
                    platform: isIndex ? nil : .linuxAMD64)
            }
        }
    }

    /// Documents stay, so that the bundle tells of every image.
    private static func omitted(_ images: [ChosenImage], _ have: Set<Digest>) -> Set<Digest> {
        images.reduce(into: []) { $0.formUnion($1.image.layers.intersection(have)) }
    }

    private static func files(of carried: [Carried]) throws(BundleFault) -> [CarriedFile] {
        var files: [CarriedFile] = []
        for one in carried { files += try one.files() }
        return files
    }

    private static func remove(_ path: FilePath) throws(BundleFault) {
        try trying("remove", path) {
            if unlink(path.string) != 0, errno != ENOENT { throw Errno(rawValue: errno) }
        }
    }

    private func requireRoom(for bytes: Int64) throws(BundleFault) {
        var space = statvfs()
        try trying("ask for room at", path) {
            if statvfs(path.string, &space) != 0 { throw Errno(rawValue: errno) }
        }
        let free = Int64(space.f_bavail) * Int64(space.f_frsize)
        guard free >= bytes else {
            throw BundleFault(
                "\(path) has \(free) bytes of room, and \(bytes) are still to come: make room, or name another directory",
                blame: .machine)
        }
    }

    private func removeAll(but kept: Set<String>) throws(BundleFault) {
        for (name, _) in try Tree.entries(below: path) where !kept.contains(name) {
            let place = path.pushing(FilePath(name))
            try Self.remove(place)
        }
        let blobs = LayoutWriter.blobs(in: layout.folder)
        for name in try trying("read the directory", blobs, { try Tree.names(in: blobs) }) where name.hasPrefix(".") {
            try Self.remove(blobs.appending(name))
        }
    }

    /// When the newest of the images was made, as their configs say: no clock of a site may say less.
    static func newest(of images: [ChosenImage], in layout: LayoutWriter) throws(BundleFault) -> String {
        var newest = Date(timeIntervalSince1970: 0)
        for chosen in images {
            let path = FilePath(LayoutWriter.path(of: chosen.image.config, in: layout.folder.string))
            let text = try trying("read", path) { try SmallFile.read(path, upTo: 16 << 20) }
            guard let said = try? JSONDecoder().decode(ConfigDocument.self, from: Data(text)).created else { continue }
            // The fraction of a second is left away: bundle.json has whole ones.
            let whole = said.prefix { $0 != "." } + (said.contains(".") ? "Z" : "")
            if let date = try? Date(String(whole), strategy: .iso8601) { newest = max(newest, date) }
        }
        return newest.formatted(.iso8601)
    }
}
