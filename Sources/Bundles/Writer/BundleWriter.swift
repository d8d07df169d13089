import Glibc
package import Images
import Synchronization
package import SystemPackage

/// Makes a bundle of the files that lie in a directory: describes them, and nothing else.
package struct BundleWriter: Sendable {
    package var path: FilePath

    package init(at path: FilePath) { self.path = path }

    /// What the files themselves do not say.
    package struct Parts: Hashable, Sendable {
        /// As in 2026-01-02T03:04:05Z.
        package var created: String
        package var platform: Platform
        package var system: BundleDescription.System?
        package var versions: [String: String]
        package var images: [BundleDescription.Image]
        /// What asks for a file, by its path.
        package var needs: [String: [String]]
        package var omitted: [Blob]

        package init(
            created: String, platform: Platform = .linuxAMD64, system: BundleDescription.System? = nil,
            versions: [String: String] = [:], images: [BundleDescription.Image] = [], needs: [String: [String]] = [:],
            omitted: [Blob] = []
        ) {
            (self.created, self.platform, self.system, self.versions) = (created, platform, system, versions)
            (self.images, self.needs, self.omitted) = (images, needs, omitted)
        }
    }

    /// Hashes each file over all cores and writes bundle.checkpoints and bundle.json. Signatures go, unless all is as
    /// it was: they would no longer hold. It blocks.
    @discardableResult
    package func write(
        _ parts: Parts, report: @escaping ByteReport = { _, _ in }
    ) throws(BundleFault) -> BundleDescription {
        let listed = try files()
        let hashes = try hash(listed, report)
        var checkpoints: [UInt8] = []
        for hash in hashes { for state in hash.checkpoints { checkpoints += state.bytes } }
        let description = BundleDescription(
            created: parts.created, platform: parts.platform, system: parts.system, versions: parts.versions,
            images: Self.sorted(parts.images),
            files: zip(listed, hashes).map { file, hash in
                BundleDescription.File(
                    path: file.path, size: file.entry.size, sha256: hash.digest, isProgram: file.entry.isProgram,
                    needs: Set(parts.needs[file.path] ?? []).sorted())
            },
            omitted: Set(parts.omitted).sorted { $0.digest.hex < $1.digest.hex },
            checkpoints: .init(size: Int64(checkpoints.count), sha256: Digest(of: checkpoints)))
        let text = try description.text()
        if let reason = description.contradiction ?? JSONText.fault(in: text) {
            throw BundleFault("could not describe the bundle \(path): \(reason)")
        }
        let stands = try? SmallFile.read(path.appending(Reserved.description), upTo: BundleDescription.largestText)
        if stands != text { try removeSignatures() }
        try SmallFile.write(checkpoints, to: path.appending(Reserved.checkpoints))
        try SmallFile.write(text, to: path.appending(Reserved.description))
        return description
    }

    private func files() throws(BundleFault) -> [(path: String, entry: FileEntry)] {
        var files: [(path: String, entry: FileEntry)] = []
        for (name, entry) in try Tree.entries(below: path) {
            let place = path.pushing(FilePath(name))
            guard VolumeDescription.number(ofFile: name) == nil else {
                throw BundleFault("\(path) is a volume of a bundle: take the whole bundle")
            }
            if Reserved.isReserved(name) { continue }
            guard entry.kind == .file else { throw BundleFault("\(place) is no plain file: a bundle has nothing else") }
            if let reason = BundleDescription.fault(ofPath: name) {
                throw BundleFault("\(place) cannot be in a bundle: its name \(reason): rename it")
            }
            files.append((name, entry))
        }
        return files
    }

    private func hash(
        _ files: [(path: String, entry: FileEntry)], _ report: @escaping ByteReport
    ) throws(BundleFault) -> [FileHash] {
        let tally = Tally(files.reduce(0) { $0 + $1.entry.size }, report)
        let hashes = Mutex<[Int: FileHash]>([:])
        // The largest first, lest one core is left with it at the end.
        let order = files.indices.sorted { files[$0].entry.size > files[$1].entry.size }
        try Parallel.forEach(order.count) { turn throws(BundleFault) in
            let (name, entry) = files[order[turn]]
            let hash = try FileHash(of: path.pushing(FilePath(name)), size: entry.size) { tally.add(Int64($0)) }
            if name.hasPrefix("images/blobs/"), !name.hasSuffix("/" + hash.digest.hex) {
                throw BundleFault(
                    "\(path)/\(name) has the digest \(hash.digest) and not that of its name: remove it and get it again"
                )
            }
            hashes.withLock { $0[order[turn]] = hash }
        }
        return hashes.withLock { hashes in files.indices.compactMap { hashes[$0] } }
    }

    private static func sorted(_ images: [BundleDescription.Image]) -> [BundleDescription.Image] {
        let images = images.map { image in
            var image = image
            (image.names, image.needs) = (Set(image.names).sorted(), Set(image.needs).sorted())
            return image
        }
        return images.sorted { ($0.names.first ?? "", $0.digest.hex) < ($1.names.first ?? "", $1.digest.hex) }
    }

    private func removeSignatures() throws(BundleFault) {
        try trying("remove", path.appending(Reserved.signatures)) {
            if unlink(path.appending(Reserved.signatures).string) != 0, errno != ENOENT { throw Errno(rawValue: errno) }
        }
    }
}
