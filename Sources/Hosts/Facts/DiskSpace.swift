package import SystemPackage

/// The file system that a path lies on, and the room in it.
package struct DiskSpace: Fact {
    package struct Value: Hashable, Sendable {
        package var source: String
        package var type: String
        /// In bytes; `available` to others than root.
        package var size: Int64
        package var available: Int64
        /// Nil for a file system that makes them as it goes, as Btrfs does.
        package var inodesAvailable: Int64?
        package var mountPoint: FilePath
    }

    package var path: FilePath
    package init(of path: FilePath) { self.path = path }

    package var command: Command {
        ["df", "--block-size=1", "--output=source,fstype,size,avail,itotal,iavail,target", "--", path.string]
    }

    package func value(of outcome: Outcome) throws(FactError) -> Value {
        guard outcome.status == 0 else {
            throw FactError("df says of \(path): \(outcome.errors.firstLine) (exit status \(outcome.status))")
        }
        let words = outcome.output.split(whereSeparator: \.isNewline).dropFirst().first?
            .split(separator: " ", maxSplits: 6, omittingEmptySubsequences: true)
        guard let words, words.count == 7, let size = Int64(words[2]), let available = Int64(words[3]) else {
            throw FactError("df says of \(path) what cannot be read: \(outcome.output)")
        }
        let hasInodes = Int64(words[4]).map { $0 > 0 } ?? false
        return Value(
            source: String(words[0]), type: String(words[1]), size: size, available: available,
            inodesAvailable: hasInodes ? Int64(words[5]) : nil, mountPoint: FilePath(String(words[6])))
    }
}
