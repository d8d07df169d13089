import Hosts
import SystemPackage

extension Host {
    /// The file as text, or nil where there is no such file.
    func text(of path: FilePath) async throws -> String? {
        try await transport.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether anything stands at the path.
    func has(_ path: FilePath) async throws -> Bool { try await transport.state(of: path) != nil }

    /// The file of that program in the places where a root's PATH looks, or nil. `command -v` would need a shell.
    func program(_ name: String) async throws -> FilePath? {
        for folder: FilePath in ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"] {
            let file = folder.appending(name)
            if try await has(file) { return file }
        }
        return nil
    }

    /// Whether the kernel's package has that module, loaded or not.
    func canLoad(_ module: String) async throws -> Bool {
        guard try await program("modprobe") != nil else { return false }
        return try await transport.run(["modprobe", "--dry-run", "--quiet", module]).status == 0
    }

    /// The path, or the nearest folder above it that there is: where a thing that is not yet there will be put.
    func standing(_ path: FilePath) async throws -> FilePath {
        var path = path
        while try await !has(path), path.removeLastComponent() {}
        return path
    }
}

extension String {
    /// `KEY=VALUE` lines, as systemctl, os-release and many others print them; quotes around a value are taken off.
    var assignments: [String: String] {
        var values: [String: String] = [:]
        for line in split(whereSeparator: \.isNewline) {
            guard let cut = line.firstIndex(of: "="), !line.trimmed.hasPrefix("#") else { continue }
            let value = line[line.index(after: cut)...].trimmed
            values[line[..<cut].trimmed] = value.trimming(["\"", "'"])
        }
        return values
    }

    private func trimming(_ quotes: [Character]) -> String {
        guard let first, quotes.contains(first), last == first, count > 1 else { return self }
        return String(dropFirst().dropLast())
    }

    var words: [String] { split(whereSeparator: \.isWhitespace).map(String.init) }
    var lines: [String] { split(whereSeparator: \.isNewline).map(String.init) }
}

/// The numbers of a version, compared one by one: 5.15 is above 5.4.
struct Version: Comparable, CustomStringConvertible {
    var numbers: [Int]

    /// Reads the first run of digits and dots; the rest ("-generic", "+deb12u1") orders nothing.
    init(_ text: some StringProtocol) {
        let start = text.drop { !$0.isNumber }
        numbers = start.prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
    }

    static func < (one: Version, other: Version) -> Bool { one.numbers.lexicographicallyPrecedes(other.numbers) }
    var description: String { numbers.map(String.init).joined(separator: ".") }
}

extension Int64 {
    /// "3.9 GiB": one decimal, without the weight of a formatter.
    var asBytes: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var (tenths, unit) = (self * 10, 0)
        while tenths >= 10240, unit < units.count - 1 { (tenths, unit) = (tenths / 1024, unit + 1) }
        return unit == 0 || tenths >= 1000
            ? "\(tenths / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    static func gib(_ count: Int64) -> Int64 { count << 30 }
}
