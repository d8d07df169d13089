import Hosts
import SystemPackage

/// What is mounted, as /proc/mounts says it, in the order of mounting.
struct MountTable: Sendable {
    struct Mount: Hashable, Sendable {
        var source: String
        var path: FilePath
        var type: String
        var options: Set<String>
    }

    var mounts: [Mount]

    init(parsing text: String) throws(FactError) {
        mounts = []
        for line in text.lines {
            let fields = line.split(separator: " ").map { Self.unescaped(String($0)) }
            guard fields.count >= 4 else { throw FactError("/proc/mounts says '\(line)'") }
            let options = Set(fields[3].split(separator: ",").map(String.init))
            mounts.append(Mount(source: fields[0], path: FilePath(fields[1]), type: fields[2], options: options))
        }
        if mounts.isEmpty { throw FactError("/proc/mounts is empty") }
    }

    /// The file system that a path lies on: the longest mount point above it, and of several there the last.
    func mount(holding path: FilePath) -> Mount? {
        let above = mounts.filter { path.starts(with: $0.path) }
        guard let longest = above.map(\.path.components.count).max() else { return nil }
        return above.last { $0.path.components.count == longest }
    }

    /// The kernel writes a blank in a path as \040.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var (result, rest) = ("", text[...])
        while let slash = rest.firstIndex(of: "\\") {
            result += rest[..<slash]
            let digits = rest[slash...].dropFirst().prefix(3)
            if let code = UInt8(digits, radix: 8), digits.count == 3 {
                result.append(Character(Unicode.Scalar(code)))
                rest = rest[digits.endIndex...]
            } else {
                result.append("\\")
                rest = rest[slash...].dropFirst()
            }
        }
        return result + rest
    }
}

extension Host {
    func mounts() async throws -> MountTable { try MountTable(parsing: try await text(of: "/proc/mounts") ?? "") }
}
