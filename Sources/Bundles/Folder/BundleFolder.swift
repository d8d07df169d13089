package import Images
package import SystemPackage

/// A bundle as it lies there: in one directory, or in volumes beside each other or copied over each other.
package struct BundleFolder: Sendable {
    /// Where bundle.json lies: in one directory, or one a volume.
    package let roots: [FilePath]
    /// bundle.json as it stands: what a signature signs.
    package let text: [UInt8]
    package let description: BundleDescription
    /// The digest of bundle.json, by which one bundle is told from another.
    package let identity: Digest
    /// Nil where it was not split.
    package let volumes: Volumes?
    private let files: [String: BundleDescription.File]
    private let pieces: [String: [Piece]]

    /// The volumes of a bundle that was split.
    package struct Volumes: Hashable, Sendable {
        package var found: Set<Int>
        package var count: Int
        package var missing: [Int] { (1...count).filter { !found.contains($0) } }
    }

    /// From a directory with bundle.json (a volume brings those beside it), or one with volumes in it.
    ///
    /// It reads bundle.json and what volumes say of themselves, no more: what lies there is not looked at.
    package init(opening path: FilePath) throws(BundleFault) {
        let roots = try Self.roots(of: path)
        let text = try Self.read(Reserved.description, in: roots[0])
        for root in roots.dropFirst() {
            guard try Self.read(Reserved.description, in: root) == text else {
                throw BundleFault(
                    "\(root) and \(roots[0]) are volumes of different bundles, or one bundle.json is damaged: "
                        + "put each bundle into a directory of its own")
            }
        }
        (self.roots, self.text) = (roots, text)
        let description = try BundleDescription(reading: text)
        self.description = description
        identity = Digest(of: text)
        files = Dictionary(description.files.map { ($0.path, $0) }) { one, _ in one }
        (volumes, pieces) = try Self.pieces(in: roots, description, identity)
    }

    /// The first of its directories.
    package var path: FilePath { roots[0] }

    package func file(_ path: String) -> BundleDescription.File? { files[path] }

    /// The file of a blob of its images.
    package func file(of blob: Digest) -> BundleDescription.File? { files[LayoutWriter.path(of: blob, in: "images")] }

    /// Where its bytes lie, in their order. Where volumes are missing, so are theirs.
    package func pieces(of file: BundleDescription.File) -> [Piece] {
        if volumes == nil { return [Piece(file: path.appending(file.path), offset: 0, length: file.size)] }
        return pieces[file.path] ?? []
    }

    /// Where bundle.json, its signatures or the checkpoints lie, in each directory.
    func copies(of name: String) -> [FilePath] { roots.map { $0.appending(name) } }

    static func read(_ name: String, in root: FilePath) throws(BundleFault) -> [UInt8] {
        let path = root.appending(name)
        return try trying("read", path) { try SmallFile.read(path, upTo: BundleDescription.largestText) }
    }
}

extension BundleFolder {
    private static func roots(of path: FilePath) throws(BundleFault) -> [FilePath] {
        let names = try trying("read the directory", path) { try Tree.names(in: path) }
        if names.contains(Reserved.description) {
            let isVolume = names.contains { VolumeDescription.number(ofFile: $0) != nil }
            guard isVolume, let own = path.lastComponent, VolumeDescription.number(ofFolder: own.string) != nil else {
                return [path]
            }
            return try volumes(in: path.removingLastComponent())
        }
        let found = try volumes(in: path)
        guard found.isEmpty else { return found }
        throw BundleFault(
            "there is no bundle.json in \(path): name the directory that has it, or the one above its volumes")
    }

    private static func volumes(in path: FilePath) throws(BundleFault) -> [FilePath] {
        let folder = path.isEmpty ? "." : path
        let names = try trying("read the directory", folder) { try Tree.names(in: folder) }
        return names.compactMap { name in VolumeDescription.number(ofFolder: name).map { ($0, folder.appending(name)) }
        }
        .sorted { $0.0 < $1.0 }.map(\.1)
        .filter { FileEntry(at: $0.appending(Reserved.description))?.kind == .file }
    }

    private static func pieces(
        in roots: [FilePath], _ description: BundleDescription, _ identity: Digest
    ) throws(BundleFault) -> (Volumes?, [String: [Piece]]) {
        var volumes: Volumes?
        var pieces: [String: [Piece]] = [:]
        for root in roots {
            let names = try trying("read the directory", root) { try Tree.names(in: root) }
            for (number, name) in names.compactMap({ name in VolumeDescription.number(ofFile: name).map { ($0, name) } }
            ) {
                let volume = try VolumeDescription(
                    reading: try read(name, in: root), at: root.appending(name), number: number, of: description,
                    identity)
                guard volumes == nil || volumes?.count == volume.of else {
                    throw BundleFault("\(root.appending(name)) counts other volumes than those beside it do")
                }
                // A volume that lies there twice is read once.
                guard volumes?.found.contains(number) != true else { continue }
                volumes = Volumes(found: (volumes?.found ?? []).union([number]), count: volume.of)
                for piece in volume.pieces {
                    pieces[piece.path, default: []].append(
                        Piece(file: root.appending(piece.place), offset: piece.offset, length: piece.length))
                }
            }
        }
        return (volumes, pieces.mapValues { $0.sorted { ($0.offset, $0.length) < ($1.offset, $1.length) } })
    }
}
