package import SystemPackage

/// The machine's memory, in bytes.
package struct MemoryInfo: FileFact {
    package struct Value: Hashable, Sendable {
        package var total: Int64
        /// What a new program could have without pushing others out.
        package var available: Int64
        package var swap: Int64
    }

    package init() {}
    package var path: FilePath { "/proc/meminfo" }

    package func value(of contents: String?) throws(FactError) -> Value {
        guard let contents else { throw FactError("there is no \(path)") }
        return Value(
            total: try bytes("MemTotal", contents), available: try bytes("MemAvailable", contents),
            swap: try bytes("SwapTotal", contents))
    }

    private func bytes(_ name: String, _ contents: String) throws(FactError) -> Int64 {
        for line in contents.split(whereSeparator: \.isNewline) where line.hasPrefix("\(name):") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[2] == "kB", let count = Int64(words[1]) else { break }
            return count << 10
        }
        throw FactError("\(path) says nothing of \(name)")
    }
}
