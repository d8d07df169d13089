extension Settings {
    /// The entry of a key for what was written, or for its default.
    func settled(_ key: any AnyKey, _ text: String?) -> Entry {
        let (filled, others) = filled(text ?? key.standard)
        let value = (try? key.read(filled)) ?? key.blank
        let source: Source = others.isEmpty ? .standard : .derived(from: others)
        return Entry(value: value, text: filled, source: source, isSecret: key.isSecret)
    }

    /// A default with each `${NAME}` replaced, and the names.
    private func filled(_ text: String) -> (String, [String]) {
        var (result, names) = ("", [String]())
        var rest = text[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            result += rest[..<start.lowerBound] + (entries[name]?.text ?? "")
            names.append(name)
            rest = rest[rest.index(after: end)...]
        }
        return (result + rest, names)
    }
}
