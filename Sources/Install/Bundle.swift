package import Images
package import SystemPackage

import class Foundation.FileManager
import struct Foundation.ObjCBool

/// The directory that was carried in.
///
///     offline-images/   image archives, in any name
///       snaps/          NAME_REVISION.snap, each with its .assert
///       charts/         NAME-VERSION.tgz
///       packages/       .deb files, a closed set for the target
package struct Bundle: Sendable {
    package var path: FilePath
    /// Archives that the config names and that lie elsewhere.
    package var extraArchives: [FilePath]
    /// Where what each archive holds is remembered.
    package var index: FilePath

    package init(at path: FilePath, extraArchives: [FilePath] = [], index: FilePath = "/var/cache/jhub/archives.json") {
        (self.path, self.extraArchives, self.index) = (path, extraArchives, index)
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
        let folder = path.appending("snaps")
        let names = try names(in: folder)
        return names.filter { $0.hasSuffix(".snap") }.compactMap { name in
            let stem = name.dropLast(".snap".count)
            guard let cut = stem.lastIndex(of: "_") else { return nil }
            let assertion = stem + ".assert"
            return Snap(
                name: String(stem[..<cut]), revision: String(stem[stem.index(after: cut)...]),
                file: folder.appending(name),
                assertion: names.contains(String(assertion)) ? folder.appending(String(assertion)) : nil)
        }
    }

    /// The chart's file, or nil where the bundle has none of that version.
    package func chart(_ name: String, version: String) throws(BundleError) -> FilePath? {
        let file = "\(name)-\(version).tgz"
        return try names(in: path.appending("charts")).contains(file) ? path.appending("charts").appending(file) : nil
    }

    package func packages() throws(BundleError) -> [FilePath] {
        let folder = path.appending("packages")
        return try names(in: folder).filter { $0.hasSuffix(".deb") }.map { folder.appending($0) }
    }

    /// The files that may hold images: those in the bundle's root, and those that the config names.
    package func archives() throws(BundleError) -> [FilePath] {
        let suffixes = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2", ".tar.lz4"]
        let own = try names(in: path).filter { name in suffixes.contains { name.hasSuffix($0) } }
        return own.map { path.appending($0) } + extraArchives
    }

    package func shelf() throws(BundleError) -> ImageShelf { ImageShelf(archives: try archives(), index: index) }

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
