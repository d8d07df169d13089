import SystemPackage

/// Named members, and the texts among them: an archive, or a layout's directory.
protocol Members {
    /// The archive or the directory.
    var path: FilePath { get }
    /// Nil for an archive.
    var layout: LayoutFolder? { get }
    func has(_ name: String) -> Bool
    /// The member's true name, links followed, and its size in bytes.
    func file(_ name: String) throws(ImageError) -> (name: String, size: Int64)
    /// The whole of a member that is JSON.
    func document(_ name: String) throws(ImageError) -> [UInt8]
}

extension Members {
    func error(_ reason: String) -> ImageError { ImageError("read", path.string, reason) }

    func names(_ texts: [String]) throws(ImageError) -> [ImageReference] {
        var names: [ImageReference] = []
        for text in texts {
            do {
                names.append(try ImageReference(parsing: text))
            } catch {
                throw self.error("\(error)")
            }
        }
        return names
    }

    /// Throws where the lists of images lead to documents without end. The size is a file's, not a claim.
    func pay(_ size: Int64, _ gathering: inout Gathering) throws(ImageError) {
        guard gathering.affords(size) else { throw error("its lists of images lead to too much JSON") }
    }

    static func once(_ blobs: [Blob]) -> [Blob] {
        var seen: Set<Digest> = []
        return blobs.filter { seen.insert($0.digest).inserted }
    }
}
