import Bundles
import FoundationEssentials
import Glibc
import Images
import SystemPackage

@testable import Install

/// A bundle with a bundle.json: a chart, a snap, and an image with one layer.
struct TestBundle {
    let folder: TestFolder
    static let image = "docker.io/library/demo:1"
    static let date = "2026-01-02T03:04:05Z"

    var path: FilePath { folder.path.appending("bundle") }
    var keys: FilePath { folder.path.appending("trusted-keys") }
    var snap: FilePath { path.pushing("snaps/microk8s_8142.snap") }

    init() throws {
        folder = try TestFolder()
        try folder.put("bundle/charts/jupyterhub-4.2.0.tgz", "a chart")
        try folder.put("bundle/snaps/microk8s_8142.snap", "a snap, which is longer than others")
        try describe(as: Self.date)
    }

    /// Writes bundle.json as of that date.
    func describe(as created: String, for platform: Platform = .linuxAMD64) throws {
        try BundleWriter(at: path).write(
            .init(created: created, platform: platform, images: [try Self.image(in: path.appending("images"))]))
    }

    private static func image(in layout: FilePath) throws -> BundleDescription.Image {
        let writer = try LayoutWriter(at: layout)
        let type = "application/vnd.oci.image"
        let layer = try writer.put(Array("a layer".utf8))
        let config = try writer.put(
            Array(
                #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(layer.digest)"]}}"#
                    .utf8))
        let manifest = try writer.put(
            Array(
                """
                {"schemaVersion":2,"mediaType":"\(type).manifest.v1+json","config":{"mediaType":\
                "\(type).config.v1+json","digest":"\(config.digest)","size":\(config.size)},"layers":[{"mediaType":\
                "\(type).layer.v1.tar","digest":"\(layer.digest)","size":\(layer.size)}]}
                """.utf8))
        try writer.writeIndex([
            .init(name: image, blob: manifest, mediaType: "\(type).manifest.v1+json", platform: .linuxAMD64)
        ])
        return BundleDescription.Image(
            names: [image], digest: manifest.digest, needs: ["SINGLEUSER_IMAGE"], blobs: [manifest, config, layer])
    }

    func opened() throws -> Bundle { try Bundle(opening: path) }

    /// As `--have` does with what the site has.
    func leaveOut(_ blob: Blob) throws {
        try folder.remove("bundle/images/blobs/sha256/\(blob.digest.hex)")
        let images = try BundleFolder(opening: path).description.images
        try BundleWriter(at: path).write(BundleWriter.Parts(created: Self.date, images: images, omitted: [blob]))
    }

    /// Signs it and cuts it into two volumes, each on a stick of its own; answers the folder that leads to them.
    func sticks() throws -> FilePath {
        for name in ["core20", "snapd"] {
            try folder.put("bundle/snaps/\(name)_1.snap", String(repeating: name, count: 4_000_000 / name.count))
        }
        try describe(as: Self.date)
        try sign(trusted: true)
        let (apart, together) = (folder.path.appending("apart"), folder.path.appending("together"))
        let count = try Splitter(BundleFolder(opening: path), size: 5_000_000, to: apart).run()
        try FileManager.default.createDirectory(atPath: together.string, withIntermediateDirectories: true)
        for number in 1...count {
            let stick = folder.path.appending("stick-\(number)")
            let volume = "volume-\(number)"
            try FileManager.default.createDirectory(atPath: stick.string, withIntermediateDirectories: true)
            try FileManager.default.moveItem(
                atPath: apart.appending(volume).string, toPath: stick.appending(volume).string)
            try FileManager.default.createSymbolicLink(
                atPath: together.appending(volume).string, withDestinationPath: stick.appending(volume).string)
        }
        return together
    }

    /// Signs it with a new key, which the machine trusts or does not.
    @discardableResult
    func sign(trusted: Bool) throws -> PublicKey {
        let key = SecretKey(comment: "site")
        try BundleFolder(opening: path).sign(with: key)
        if trusted { try TrustedKeys.add(key.publicKey, in: keys) }
        return key.publicKey
    }

    /// Turns one bit of the snap over, and leaves its time as it was or not.
    func flip(keepingTime: Bool) throws {
        var status = stat()
        guard stat(snap.string, &status) == 0 else { throw Errno(rawValue: errno) }
        let file = try FileDescriptor.open(snap, .readWrite)
        try file.closeAfter {
            _ = try file.writeAll(toAbsoluteOffset: 3, [UInt8(ascii: "S")])
            guard keepingTime else { return }
            let times = [status.st_atim, status.st_mtim]
            guard futimens(file.rawValue, times) == 0 else { throw Errno(rawValue: errno) }
        }
    }
}
