package import Bundles
package import Images
package import SystemPackage

import class Foundation.FileManager
import struct Foundation.ObjCBool

/// The directory that was carried in.
///
///     offline-images/   image archives, in any name; or images/, where there is a bundle.json
///       snaps/          NAME_REVISION.snap, each with its .assert
///       charts/         NAME-VERSION.tgz
///       packages/       .deb files, a closed set for the target
package struct Bundle: Sendable {
    package var path: FilePath
    /// What its bundle.json says, and where its volumes lie; nil for a plain folder of archives.
    package let folder: BundleFolder?
    /// Archives that the config names and that lie elsewhere.
    package var extraArchives: [FilePath]
    /// Where what each archive holds is remembered.
    package var index: FilePath

    package init(at path: FilePath, extraArchives: [FilePath] = [], index: FilePath = "/var/cache/jhub/archives.json") {
        (self.path, self.extraArchives, self.index, folder) = (path, extraArchives, index, nil)
    }

    /// The bundle in that directory, of either form.
    package init(opening path: FilePath, extraArchives: [FilePath] = []) throws {
        self.init(at: path, extraArchives: extraArchives)
        guard exists else {
            throw BundleError(
                "there is no bundle directory \(path): copy it onto this machine, or name it with --bundle DIR")
        }
        let isDescribed = try names(in: path).contains { $0 == "bundle.json" || $0.hasPrefix("volume-") }
        if isDescribed { self = Bundle(of: try BundleFolder(opening: path), at: path, extraArchives, index) }
    }

    private init(of folder: BundleFolder, at path: FilePath, _ extraArchives: [FilePath], _ index: FilePath) {
        (self.path, self.extraArchives, self.index, self.folder) = (path, extraArchives, index, folder)
    }

    package var exists: Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// A snap file and its assertion.
    package struct Snap: Hashable, Sendable {
        package var name: String
        package var revision: String
        package var file: FilePath
        package var assertion: FilePath?
    }

    package func snaps() throws(BundleError) -> [Snap] {
        let files = try files(in: "snaps")
        return files.filter { $0.extension == "snap" }.compactMap { file in
            guard let stem = file.stem, let cut = stem.lastIndex(of: "_") else { return nil }
            return Snap(
                name: String(stem[..<cut]), revision: String(stem[stem.index(after: cut)...]), file: file,
                assertion: files.first { $0.lastComponent?.string == stem + ".assert" })
        }
    }

    /// The chart's file, or nil where the bundle has none of that version.
    package func chart(_ name: String, version: String) throws(BundleError) -> FilePath? {
        try files(in: "charts").first { $0.lastComponent?.string == "\(name)-\(version).tgz" }
    }

    package func packages() throws(BundleError) -> [FilePath] {
        try files(in: "packages").filter { $0.extension == "deb" }
    }

    /// The files that may hold images: those in the bundle's root, and those that the config names. Where there is a
    /// bundle.json only these: its images lie in a layout.
    package func archives() throws(BundleError) -> [FilePath] {
        guard folder == nil else { return extraArchives }
        let suffixes = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2", ".tar.lz4"]
        let own = try names(in: path).filter { name in suffixes.contains { name.hasSuffix($0) } }
        return own.map { path.appending($0) } + extraArchives
    }

    /// Its images, with those of the archives that the config names.
    package func shelf() throws -> ImageShelf {
        var layouts: [LayoutFolder] = []
        if let folder, !folder.description.images.isEmpty {
            let places = folder.roots.map { $0.appending("images") }
            layouts = [
                try LayoutFolder(at: places[0], and: Array(places[1...]), omitted: folder.description.omitted)
            ]
        }
        return ImageShelf(archives: try archives(), layouts: layouts, index: index)
    }

    /// Blobs that it leaves out, since the site that it was made for has them.
    var omitted: Set<Digest> { Set((folder?.description.omitted ?? []).map(\.digest)) }

    /// What its image layout holds, in bytes.
    var blobBytes: Int64 {
        (folder?.description.files ?? []).filter { $0.path.hasPrefix("images/blobs/") }.reduce(0) { $0 + $1.size }
    }

    /// The files of that folder, in every volume.
    private func files(in name: String) throws(BundleError) -> [FilePath] {
        var files: [FilePath] = []
        for folder in (folder?.roots ?? [path]).map({ $0.appending(name) }) {
            files += try names(in: folder).map { folder.appending($0) }
        }
        return files.sorted { $0.lastComponent?.string ?? "" < $1.lastComponent?.string ?? "" }
    }

    /// The folder's names, sorted; none where the folder is missing.
    private func names(in folder: FilePath) throws(BundleError) -> [String] {
        guard FileManager.default.fileExists(atPath: folder.string) else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
        } catch {
            throw BundleError("could not read the folder \(folder): \(error.localizedDescription)")
        }
    }
}

package struct BundleError: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
