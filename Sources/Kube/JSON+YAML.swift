import Yams

extension JSON {
    /// Reads every document of a YAML text, as Kubernetes reads them: `"1"` is a
    /// string, `1` a number, `yes` true, `0644` octal. Empty documents are left out.
    package static func documents(yaml: String) throws(JSONError) -> [JSON] {
        do {
            var documents: [JSON] = []
            var nodes = try compose_all(yaml: yaml)
            while let node = nodes.next() { documents.append(try JSON(node)) }
            if let error = nodes.error { throw error }
            return documents.filter { $0 != .null }
        } catch let error as JSONError {
            throw error
        } catch {
            throw JSONError(
                "the YAML cannot be read: \("\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))")
        }
    }

    /// Reads a text of one document.
    package init(yaml: String) throws(JSONError) {
        let documents = try Self.documents(yaml: yaml)
        guard let only = documents.first, documents.count == 1 else {
            throw JSONError("the YAML has \(documents.count) documents, not one")
        }
        self = only
    }

    private init(_ node: Node) throws(JSONError) {
        switch node {
        case .scalar(let scalar): self = Self.value(of: scalar)
        case .sequence(let elements):
            var values: [JSON] = []
            for element in elements { values.append(try JSON(element)) }
            self = .array(values)
        case .mapping(let pairs):
            var members: [String: JSON] = [:]
            for (key, value) in pairs {
                guard case .scalar(let name) = key else {
                    throw JSONError("the YAML has a key that is no word\(key.mark.map { " in line \($0.line)" } ?? "")")
                }
                if name.string == "<<", name.style == .plain {
                    // What stands in the mapping itself wins over what is merged in.
                    for (inherited, value) in try Self.merged(value) where members[inherited] == nil {
                        members[inherited] = value
                    }
                } else {
                    members[name.string] = try JSON(value)
                }
            }
            self = .object(members)
        case .alias: throw JSONError("the YAML has an alias that names nothing")
        }
    }

    private static func merged(_ node: Node) throws(JSONError) -> [String: JSON] {
        switch try JSON(node) {
        case .object(let members): return members
        case .array(let elements):
            return elements.reduce(into: [:]) { all, element in all.merge(element.object ?? [:]) { first, _ in first } }
        default: throw JSONError("the YAML merges something that is no mapping")
        }
    }

    private static func value(of scalar: Node.Scalar) -> JSON {
        let text = scalar.string
        let tag = scalar.tag.description
        guard scalar.style == .plain || scalar.style == .any, tag != "tag:yaml.org,2002:str" else {
            return .string(text)
        }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
        default: return number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) -> JSON? {
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return nil }
        let negative = first == UInt8(ascii: "-")
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - digits.count <= 1 else { return nil }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            return Int(digits.dropFirst(2), radix: radix).map { .int(negative ? -$0 : $0) }
        }
        if digits.count > 1, digits.first == "0", digits.allSatisfy({ ("0"..."7").contains($0) }) {
            return Int(digits, radix: 8).map { .int(negative ? -$0 : $0) }
        }
        if let int = Int(text) { return .int(int) }
        // Not what Double alone would take: "infinity", "nan", "0x1p3".
        guard digits.allSatisfy({ "0123456789.eE+-".contains($0) }), digits.contains(where: \.isNumber),
            let double = Double(text), double.isFinite
        else { return nil }
        return .double(double)
    }
}
