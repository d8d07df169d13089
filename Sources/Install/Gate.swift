import Bundles
package import FoundationEssentials
import Images
package import SystemPackage

/// Who answers for a bundle.
package enum BundleTrust: Hashable, Sendable {
    /// The names of the keys, all of which this machine trusts.
    case signed(by: [String])
    /// Nobody, or nobody whom this machine knows; it was allowed.
    case unsigned
}

/// What is asked of a bundle before anything in it is used: programs of it will run as root.
package struct Gate: Sendable {
    /// As --allow-unsigned says.
    package var allowsUnsigned: Bool
    /// The folder of the keys that this machine trusts.
    package var keys: FilePath
    /// Where it is remembered which files were proved, so that an unchanged file is hashed once. Only a cache.
    package var memory: FilePath

    package init(
        allowsUnsigned: Bool, keys: FilePath = TrustedKeys.folder, memory: FilePath = "/var/cache/jhub/proved.json"
    ) {
        (self.allowsUnsigned, self.keys, self.memory) = (allowsUnsigned, keys, memory)
    }

    /// Lets the bundle through, or says in one line why not. It blocks while files are hashed. The images are not:
    /// each blob is held against its digest on its way into the store.
    package func pass(_ bundle: Bundle, now: Date = .now) throws -> BundleTrust {
        guard let folder = bundle.folder else {
            try allow(
                "\(bundle.path) is a plain folder, and nobody has signed what is in it: make a bundle of it with "
                    + "'jhub-install bundle create'")
            return .unsigned
        }
        let finding = try folder.signature(trusting: TrustedKeys(in: keys))
        if let fault = finding.fault(allowingUnsigned: allowsUnsigned) { throw fault }
        guard folder.description.platform == .linuxAMD64 else {
            throw BundleError(
                "the bundle is for \(folder.description.platform), and this machine is \(Platform.linuxAMD64)")
        }
        let found = try Verifier(folder).look(at: now)
        try refuse(found.damages, found.contradictions, of: folder)
        try prove(folder)
        guard case .trusted(let keys) = finding else { return .unsigned }
        if let stranger = bundle.extraArchives.first {
            try allow("\(stranger), which the config names, is not in the signed bundle: add it there")
            return .unsigned
        }
        return .signed(by: keys.map(\.description))
    }

    private func allow(_ reason: String) throws {
        guard allowsUnsigned else { throw BundleError("\(reason), or say --allow-unsigned") }
    }

    private func refuse(_ damages: [Damage], _ contradictions: [BundleFault] = [], of folder: BundleFolder) throws {
        let faults = damages.map(\.description) + contradictions.map(\.description)
        guard !faults.isEmpty else { return }
        let rest = faults.count > 3 ? " (and \(faults.count - 3) more)" : ""
        // The others say themselves what to do.
        let isMendable = damages.contains { $0.path != nil }
        throw BundleError(
            "the bundle is not as it was made: \(faults.prefix(3).joined(separator: "; "))\(rest)"
                + (isMendable
                    ? ": mend it with 'jhub-install bundle repair \(folder.path) --from COPY', or carry it again" : ""))
    }

    /// Hashes all but the blobs, where they are not as they were when they were proved before.
    private func prove(_ folder: BundleFolder) throws {
        let before = Proofs(reading: memory, of: folder.identity)
        var proofs = Proofs(of: folder.identity)
        var open: [BundleDescription.File] = []
        for file in folder.description.files where !file.path.hasPrefix("images/blobs/") {
            let seals = folder.pieces(of: file).map { FileSeal(of: $0.file) }
            if before.seals[file.path] != seals { open.append(file) }
            proofs.seals[file.path] = seals
        }
        try refuse(Verifier(folder).prove(open), of: folder)
        if proofs != before { proofs.write(to: memory) }
    }
}

/// Which files of a bundle were held against their digests, and how they looked then.
private struct Proofs: Codable, Hashable {
    var bundle: Digest
    /// Of each file's pieces.
    var seals: [String: [FileSeal?]] = [:]

    init(of bundle: Digest) { self.bundle = bundle }

    /// None where they are missing, unreadable, or of another bundle.
    init(reading path: FilePath, of bundle: Digest) {
        self.init(of: bundle)
        guard let data = try? Data(contentsOf: URL(filePath: path.string)),
            let read = try? JSONDecoder().decode(Proofs.self, from: data), read.bundle == bundle
        else { return }
        self = read
    }

    /// Where that fails the next run hashes again, which is slow and right; so it is no error.
    func write(to path: FilePath) {
        try? FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try? JSONEncoder().encode(self).write(to: URL(filePath: path.string), options: .atomic)
    }
}
