package import SystemPackage

/// Which system this is, by its own word.
package struct OSRelease: FileFact {
    package struct Value: Hashable, Sendable {
        /// "debian", "ubuntu".
        package var id: String
        /// Those it is like: Ubuntu says "debian".
        package var like: [String]
        /// "12", "22.04"; nil for a system without versions.
        package var version: String?
        /// "Debian GNU/Linux 12 (bookworm)".
        package var name: String
    }

    package init() {}
    package var path: FilePath { "/etc/os-release" }

    package func value(of contents: String?) throws(FactError) -> Value {
        guard let contents else { throw FactError("there is no \(path)") }
        var values: [Substring: String] = [:]
        for line in contents.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            guard let sign = line.firstIndex(of: "=") else { continue }
            values[line[..<sign]] = unquoted(line[line.index(after: sign)...])
        }
        guard let id = values["ID"], !id.isEmpty else { throw FactError("\(path) has no ID") }
        return Value(
            id: id, like: values["ID_LIKE"]?.split(separator: " ").map(String.init) ?? [],
            version: values["VERSION_ID"], name: values["PRETTY_NAME"] ?? values["NAME"] ?? id)
    }

    private func unquoted(_ text: Substring) -> String {
        guard let quote = text.first, quote == "\"" || quote == "'", text.last == quote, text.count > 1 else {
            return String(text)
        }
        var rest = text.dropFirst().dropLast()
        var plain = ""
        while let character = rest.popFirst() {
            plain.append(character == "\\" && quote == "\"" ? rest.popFirst() ?? "\\" : character)
        }
        return plain
    }
}
