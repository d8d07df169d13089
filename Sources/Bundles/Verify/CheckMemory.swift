import FoundationEssentials
import Glibc
import Images
import SystemPackage

/// How far a check that was ended early came, so that the next one goes on from there. Only a memory: without it
/// everything is checked.
struct CheckMemory: Sendable {
    private let file: FilePath
    private let folder: BundleFolder
    /// As the files are now. What is changed during a check is changed after this.
    private let seals: [String: FileSeal]
    private let before: Kept?

    private struct Kept: Codable, Sendable {
        var form = 1
        var bundle: Digest
        /// The spans before this one are done.
        var upTo: Int
        /// By their places.
        var seals: [String: FileSeal]
        var damages: Set<Damage>
    }

    /// In bytes.
    private static let largest = 64 << 20

    init(in cache: FilePath, of folder: BundleFolder) {
        self.folder = folder
        file = cache.appending("verify-\(folder.identity.short).json")
        var seals: [String: FileSeal] = [:]
        for piece in folder.description.files.flatMap(folder.pieces) {
            seals[piece.file.string] = FileSeal(of: piece.file)
        }
        self.seals = seals
        let text = (try? SmallFile.read(file, upTo: Self.largest)) ?? []
        let kept = try? JSONDecoder().decode(Kept.self, from: Data(text))
        before = kept?.form == 1 && kept?.bundle == folder.identity ? kept : nil
    }

    /// The spans that an earlier check did not come to, and those of files that changed since.
    func left(of spans: Spans) -> [Int] {
        guard let before, (0...spans.count).contains(before.upTo) else { return Array(0..<spans.count) }
        return folder.description.files.indices.flatMap { index in
            let all = spans.ofFile(index)
            guard isUnchanged(folder.description.files[index]) else { return all }
            return max(all.lowerBound, min(before.upTo, all.upperBound))..<all.upperBound
        }
    }

    /// What it found in files that are as they were.
    var damages: Set<Damage> {
        before?.damages.filter { damage in
            damage.path.flatMap(folder.file).map(isUnchanged) ?? false
        } ?? []
    }

    private func isUnchanged(_ file: BundleDescription.File) -> Bool {
        folder.pieces(of: file).allSatisfy { piece in
            let seal = seals[piece.file.string]
            return seal != nil && seal == before?.seals[piece.file.string]
        }
    }

    /// Readers see the old text or the new one. It need not outlive a power cut, and where it cannot be written the
    /// next check does all again: so nothing here is an error.
    func save(upTo span: Int, _ damages: Set<Damage>) {
        let kept = Kept(bundle: folder.identity, upTo: span, seals: seals, damages: damages.union(self.damages))
        guard let text = try? JSONEncoder().encode(kept) else { return }
        try? SmallFile.makeFolder(file.removingLastComponent())
        try? text.write(to: URL(filePath: file.string), options: .atomic)
    }

    func forget() { unlink(file.string) }
}
