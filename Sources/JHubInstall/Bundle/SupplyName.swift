import Bundles
import Images
import Install
import SystemPackage

import class Foundation.FileManager

/// What `--from` may name.
enum SupplyName {
    /// "registry"; "containerd:SOCKET"; an archive, a folder of archives, a layout or a bundle, by its path.
    static func supply(_ name: String, _ access: RegistryAccess) async throws -> any ImageSupply {
        if name == "registry" { return RegistrySupply(RegistryClient(access)) }
        if name.hasPrefix(scheme) { return try await containerd(name) }
        let path = FilePath(name)
        let archives = try archives(at: path)
        guard !archives.isEmpty else {
            throw BundleFault("there is no image archive in \(name): name the folder that has them, or 'registry'")
        }
        return try ArchiveSupply(ImageShelf(archives: archives, index: Bundle(at: path).index), name: name)
    }

    private static let scheme = "containerd:"

    /// containerd:SOCKET, or containerd:SOCKET?namespace=NAME.
    private static func containerd(_ name: String) async throws -> any ImageSupply {
        let parts = name.dropFirst(scheme.count).split(separator: "?namespace=", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts[0].hasPrefix("/"), parts.last?.isEmpty == false else {
            throw BundleFault("'\(name)' names no containerd: write containerd:/PATH/OF/ITS.sock[?namespace=NAME]")
        }
        let socket = FilePath(String(parts[0]))
        try requireExistence(of: socket)
        // Kubernetes' own; Docker's is "moby", that of ctr "default".
        return try await ContainerdSupply(socket, namespace: parts.count == 2 ? String(parts[1]) : "k8s.io", name: name)
    }

    private static func requireExistence(of path: FilePath) throws {
        guard FileManager.default.fileExists(atPath: path.string) else {
            throw BundleFault("there is no \(path) to take images from")
        }
    }

    private static func archives(at path: FilePath) throws -> [FilePath] {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path.appending(name).string) }
        try requireExistence(of: path)
        if has("bundle.json") { return [path.appending("images")] }
        if has("oci-layout") { return [path] }
        guard Bundle(at: path).exists else { return [path] }
        return try Bundle(at: path).archives()
    }
}
