package import FoundationEssentials
import Images
import SystemPackage

extension BundleDescription {
    /// In bytes; what JSONText takes ends sooner, at some 30 000 files.
    static let largestText = 64 << 20
    /// In bytes; far above any disk that is carried.
    static let largestFile: Int64 = 1 << 42
    /// In bytes, so that no sum of sizes overflows.
    static let largestBundle: Int64 = 1 << 50

    /// From the text of bundle.json. What contradicts itself, or leads out of the bundle, is refused.
    package init(reading text: [UInt8]) throws(BundleFault) {
        func refused(_ reason: String) -> BundleFault {
            BundleFault("could not read bundle.json: \(reason): fetch it again from where the bundle was made")
        }
        guard text.count <= Self.largestText else { throw refused("it is larger than \(Self.largestText) bytes") }
        if let reason = JSONText.fault(in: text) { throw refused(reason) }
        do {
            // Alone first: a later format may differ in all else.
            let format = try JSONDecoder().decode(Format.self, from: Data(text)).format
            guard format == Self.currentFormat else {
                throw BundleFault(
                    "could not read bundle.json: it has format \(format), and this program reads "
                        + "\(Self.currentFormat): take the jhub-install that the bundle holds")
            }
            self = try JSONDecoder().decode(Self.self, from: Data(text))
        } catch let fault as BundleFault {
            throw fault
        } catch let error as DecodingError {
            throw refused(error.inOneLine)
        } catch {
            throw refused("\(error)".replacing("\n", with: " "))
        }
        if let reason = contradiction { throw refused(reason) }
    }

    private struct Format: Decodable { var format: Int }

    /// The text of bundle.json: equal descriptions have equal texts.
    package func text() throws(BundleFault) -> [UInt8] {
        try trying("describe the bundle in", "bundle.json") {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return try Array(encoder.encode(self)) + Array("\n".utf8)
        }
    }

    /// When the bundle was made; no clock may say less.
    package var date: Date { (try? Date(created, strategy: .iso8601)) ?? .distantPast }

    /// What is wrong with it in itself; nil where nothing is.
    var contradiction: String? {
        guard (try? Date(created, strategy: .iso8601))?.formatted(.iso8601) == created else {
            return "'\(created.prefix(40))' is not a date as in 2026-01-02T03:04:05Z"
        }
        return contradictionOfFiles ?? contradictionOfImages
    }

    private var contradictionOfFiles: String? {
        var total: Int64 = 0
        var before = ""
        var folders: Set<String> = []
        for file in files {
            if let reason = Self.fault(ofPath: file.path) {
                return "the path \(String(file.path.prefix(300)).debugDescription) \(reason)"
            }
            guard before < file.path else {
                return before == file.path
                    ? "'\(before)' stands in it twice" : "its files are not sorted: '\(file.path)'"
            }
            guard (0...Self.largestFile).contains(file.size) else {
                return "'\(file.path)' cannot have \(file.size) bytes"
            }
            total += file.size
            guard total <= Self.largestBundle else { return "its files have more than \(Self.largestBundle) bytes" }
            var folder = FilePath(file.path)
            while folder.removeLastComponent(), !folder.isEmpty { folders.insert(folder.string) }
            before = file.path
        }
        if let both = files.first(where: { folders.contains($0.path) }) {
            return "'\(both.path)' is both a file and a folder"
        }
        let checkpoints = files.reduce(0) { $0 + Int64(HashState.size * (Chunk.count(of: $1.size) - 1)) }
        guard self.checkpoints.size == checkpoints else {
            return "its checkpoints have \(self.checkpoints.size) bytes, and its files need \(checkpoints)"
        }
        return nil
    }

    private var contradictionOfImages: String? {
        var owners: [String: Digest] = [:]
        for image in images {
            for name in image.names {
                if let other = owners.updateValue(image.digest, forKey: name) {
                    return "'\(name)' is the name of \(other.short) and of \(image.digest.short)"
                }
            }
        }
        let blobs = images.flatMap(\.blobs) + omitted
        guard let odd = blobs.first(where: { !(0...Self.largestFile).contains($0.size) }) else { return nil }
        return "the blob \(odd.digest.short) cannot have \(odd.size) bytes"
    }

    /// Why a path cannot be one of a bundle; nil where it can.
    static func fault(ofPath path: String) -> String? {
        guard path.utf8.allSatisfy({ (33...126).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            return "has letters other than those of plain ASCII"
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.utf8.count <= 1024, parts.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
            return "is empty, absolute, doubled or too long"
        }
        // Dot files are the file system's own, and ".." leads out of the bundle.
        if parts.contains(where: { $0.hasPrefix(".") || $0 == "lost+found" }) { return "is not one of a bundle" }
        if parts.count == 1, Reserved.isReserved(path) { return "is the name of a part of every bundle" }
        return nil
    }
}

/// The names that a bundle has beside its files.
enum Reserved {
    static let description = "bundle.json"
    static let signatures = "bundle.json.sig"
    static let checkpoints = "bundle.checkpoints"

    static func isReserved(_ name: String) -> Bool {
        [description, signatures, checkpoints].contains(name) || VolumeDescription.number(ofFile: name) != nil
    }
}

extension DecodingError {
    fileprivate var inOneLine: String {
        switch self {
        case .keyNotFound(let key, _): return "it has no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
            let said = context.debugDescription.replacing("\n", with: " ")
            return place.isEmpty ? said : "\(place): \(said)"
        @unknown default: return "it is not what it should be"
        }
    }
}
