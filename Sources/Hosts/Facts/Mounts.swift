package import SystemPackage

/// What is mounted where, as the process itself sees it.
package struct Mounts: FileFact {
    package init() {}
    package var path: FilePath { "/proc/self/mountinfo" }

    package func value(of contents: String?) throws(FactError) -> [Mount] {
        guard let contents else { throw FactError("there is no \(path)") }
        var mounts: [Mount] = []
        for line in contents.split(whereSeparator: \.isNewline) {
            // ID, parent, device, root, point, options, any number of tags, "-", type, source, options of the file system.
            let words = line.split(separator: " ")
            guard words.count >= 10, let dash = words.dropFirst(6).firstIndex(of: "-"), words.count > dash + 2 else {
                throw FactError("\(path) has a line that cannot be read: \(line)")
            }
            let options =
                words[5].split(separator: ",") + (words.count > dash + 3 ? words[dash + 3].split(separator: ",") : [])
            mounts.append(
                Mount(
                    point: FilePath(unescaped(words[4])), type: String(words[dash + 1]),
                    source: unescaped(words[dash + 2]), options: Set(options.map(String.init))))
        }
        return mounts
    }

    /// The kernel writes a space, a tab, a newline and a backslash in octal: `\040`.
    private func unescaped(_ word: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = word.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(Substring(rest.prefix(3)), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

package struct Mount: Hashable, Sendable {
    package var point: FilePath
    /// "ext4", "nfs4".
    package var type: String
    package var source: String
    /// Of the mount and of its file system: "ro", "noexec".
    package var options: Set<String>
}

extension [Mount] {
    /// The mount that a path lies on: the deepest, and of several on one point the last, which covers the others.
    package func holding(_ path: FilePath) -> Mount? {
        enumerated().filter { path.starts(with: $0.element.point) }
            .max { ($0.element.point.components.count, $0.offset) < ($1.element.point.components.count, $1.offset) }?
            .element
    }
}
