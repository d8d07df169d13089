import FoundationEssentials
import Glibc
import SystemPackage

/// What was read from archives, by what tells that they are still the same.
struct ShelfIndex: Codable, Hashable {
    typealias Seal = FileSeal

    private struct Archive: Codable, Hashable {
        var seal: Seal
        var images: [Image]
    }

    private struct Image: Codable, Hashable {
        var names: [String]
        var target: Digest
        var platform: Platform
        var config: Digest
        var blobs: [Blob]
        var source: ArchivedImage.Source
    }

    /// Raised when the meaning of what is remembered changes.
    private static let form = 2
    private static let largest: Int64 = 64 << 20
    private var form = Self.form
    private var archives: [String: Archive] = [:]

    init() {}

    /// An index that is missing, damaged or of another form is an empty one.
    init(reading path: FilePath) {
        guard let stat = try? Stat(path), stat.size <= Self.largest,
            let data = try? Data(contentsOf: URL(filePath: path.string)),
            let read = try? JSONDecoder().decode(ShelfIndex.self, from: data), read.form == Self.form
        else { return }
        self = read
    }

    func images(of path: FilePath, _ seal: Seal) -> [ArchivedImage]? {
        guard let archive = archives[path.string], archive.seal == seal else { return nil }
        var images: [ArchivedImage] = []
        for image in archive.images {
            let names = image.names.compactMap { try? ImageReference(parsing: $0) }
            let isSane = image.blobs.allSatisfy { (0...ArchiveReader.largest).contains($0.size) }
            guard names.count == image.names.count, isSane else { return nil }
            images.append(
                ArchivedImage(
                    names: names, target: image.target, platform: image.platform, config: image.config,
                    blobs: image.blobs, archive: path, source: image.source))
        }
        return images
    }

    mutating func remember(_ images: [ArchivedImage], of path: FilePath, _ seal: Seal) {
        let kept = images.map { image in
            Image(
                names: image.names.map(\.description), target: image.target, platform: image.platform,
                config: image.config, blobs: image.blobs, source: image.source)
        }
        archives[path.string] = Archive(seal: seal, images: kept)
    }

    /// Puts it in place at once, 0644. Where that fails the next run reads the
    /// archives again, which is slow and right; so it is no error.
    func write(to path: FilePath) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(self), let name = path.lastComponent else { return }
        let folder = path.removingLastComponent()
        let temporary = folder.appending(".\(name.string).\(UInt64.random(in: 0 ... .max))")
        // Nobody else makes it; where it stands, this fails, and that is fine.
        _ = mkdir(folder.string, 0o755)
        do {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter {
                _ = try file.writeAll(data)
                // The umask had its say in what `open` made of the permissions.
                guard fchmod(file.rawValue, 0o644) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            _ = unlink(temporary.string)
        }
    }
}
