import class FoundationEssentials.FileManager

/// A file of manifests with holes, `${NAME}`, in its words.
///
/// The YAML is read before the holes are filled, so that no value, whatever is in it, becomes a part of the structure.
package struct Template: Hashable, Sendable {
    package var name: String
    package var text: String

    package init(name: String, text: String) { (self.name, self.text) = (name, text) }

    package init(at path: String) throws(TemplateError) {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw TemplateError("could not read the template \(path)")
        }
        name = path.split(separator: "/").last.map(String.init) ?? path
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The manifests with every hole filled. A word that is nothing but one hole
    /// becomes the value itself, of whatever type; null leaves its member out.
    /// `$${` stands for the characters `${`.
    package func manifests(_ values: [String: JSON] = [:]) throws(TemplateError) -> [Manifest] {
        let documents: [JSON]
        do { documents = try JSON.documents(yaml: text) } catch { throw TemplateError("\(name): \(error)") }
        var manifests: [Manifest] = []
        for document in documents {
            let manifest = Manifest(try fill(document, values))
            guard !manifest.kind.isEmpty, !manifest.apiVersion.isEmpty, !manifest.name.isEmpty else {
                throw TemplateError("\(name): a document has no kind, apiVersion or name")
            }
            manifests.append(manifest)
        }
        return manifests
    }

    private func fill(_ value: JSON, _ values: [String: JSON]) throws(TemplateError) -> JSON {
        switch value {
        case .string(let text): return try fill(text, values)
        case .array(let elements):
            var filled: [JSON] = []
            for element in elements { filled.append(try fill(element, values)) }
            return .array(filled)
        case .object(let members):
            var filled: [String: JSON] = [:]
            for (key, member) in members {
                let new = try fill(member, values)
                if new != .null || member == .null { filled[key] = new }
            }
            return .object(filled)
        default: return value
        }
    }

    private func fill(_ text: String, _ values: [String: JSON]) throws(TemplateError) -> JSON {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "$") {
            result += rest[..<start]
            rest = rest[start...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${"), let end = rest.firstIndex(of: "}") {
                let name = String(rest.dropFirst(2)[..<end])
                guard let value = values[name] else {
                    throw TemplateError("\(self.name): there is no value for ${\(name)}")
                }
                rest = rest[rest.index(after: end)...]
                if result.isEmpty, rest.isEmpty, text.first == "$" { return value }
                result += try word(value, name)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return .string(result + rest)
    }

    private func word(_ value: JSON, _ hole: String) throws(TemplateError) -> String {
        switch value {
        case .string(let text): return text
        case .int, .double, .bool: return value.text()
        case .null, .array, .object: throw TemplateError("\(name): the value of ${\(hole)} does not fit into a word")
        }
    }
}

package struct TemplateError: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
