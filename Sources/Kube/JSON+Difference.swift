extension JSON {
    /// The paths at which two documents differ, sorted: `spec.replicas`, `metadata.labels["a.b/c"]`, `containers[hub].image`.
    package func paths(differingFrom other: JSON) -> [String] { Self.difference(self, other, at: "").sorted() }

    private static func difference(_ one: JSON?, _ other: JSON?, at path: String) -> [String] {
        if one == other { return [] }
        switch (one, other) {
        case (.object(let first)?, .object(let second)?):
            return Set(first.keys).union(second.keys).flatMap { key in
                difference(first[key], second[key], at: path + step(key, isFirst: path.isEmpty))
            }
        case (.array(let first)?, .array(let second)?):
            // By name where the elements have names, as the API server merges such lists.
            if let first = named(first), let second = named(second) {
                // The same elements in another order are a change too.
                guard Set(first.keys).union(second.keys).contains(where: { first[$0] != second[$0] }) else {
                    return [path]
                }
                return Set(first.keys).union(second.keys).flatMap { name in
                    difference(first[name], second[name], at: "\(path)[\(name)]")
                }
            }
            guard first.count == second.count else { return [path] }
            return zip(first, second).enumerated().flatMap { index, pair in
                difference(pair.0, pair.1, at: "\(path)[\(index)]")
            }
        default:
            // Numbers may come back in another form: 1 for 1.0.
            if let one = one?.number, let other = other?.number, one == other { return [] }
            return [path]
        }
    }

    private static func step(_ key: String, isFirst: Bool) -> String {
        let isPlain = key.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        guard isPlain else { return "[\"\(key)\"]" }
        return isFirst ? key : ".\(key)"
    }

    private static func named(_ elements: [JSON]) -> [String: JSON]? {
        var all: [String: JSON] = [:]
        for element in elements {
            guard let name = element["name"]?.string, all.updateValue(element, forKey: name) == nil else { return nil }
        }
        return all
    }

    private var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}
