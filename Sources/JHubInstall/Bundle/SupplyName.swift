import Bundles
import Images
import Install
import SystemPackage

import class Foundation.FileManager

/// What `--from` may name.
enum SupplyName {
    /// "registry"; an archive, a folder of archives, a layout or a bundle, by its path.
    static func supply(_ name: String, _ access: RegistryAccess) throws -> any ImageSupply {
        if name == "registry" { return RegistrySupply(RegistryClient(access)) }
        let path = FilePath(name)
        let archives = try archives(at: path)
        guard !archives.isEmpty else {
            throw BundleFault("there is no image archive in \(name): name the folder that has them, or 'registry'")
        }
        return try ArchiveSupply(ImageShelf(archives: archives, index: Bundle(at: path).index), name: name)
    }

    private static func archives(at path: FilePath) throws -> [FilePath] {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path.appending(name).string) }
        guard FileManager.default.fileExists(atPath: path.string) else {
            throw BundleFault("there is no \(path) to take images from")
        }
        if has("bundle.json") { return [path.appending("images")] }
        if has("oci-layout") { return [path] }
        guard Bundle(at: path).exists else { return [path] }
        return try Bundle(at: path).archives()
    }
}
