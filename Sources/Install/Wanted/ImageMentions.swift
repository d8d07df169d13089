import Images

/// The images that a manifest or a containerd configuration names.
enum ImageMentions {
    static func of(_ text: String) -> [ImageReference] {
        var references: [ImageReference] = []
        var isBusybox = false
        for line in text.split(whereSeparator: \.isNewline).map({ $0.trimmed }) {
            let words = line.hasPrefix("- ") ? String(line.dropFirst(2)) : line
            if let value = value(of: "image:", in: words) ?? value(of: "sandbox_image =", in: words)
                ?? (isBusybox ? value(of: "value:", in: words) : nil),
                let reference = try? ImageReference(parsing: value), !references.contains(reference)
            {
                references.append(reference)
            }
            // The provisioner gets its helper's image in the environment.
            isBusybox = words == "name: BUSYBOX_IMAGE"
        }
        return references
    }

    private static func value(of key: String, in line: String) -> String? {
        guard line.hasPrefix(key) else { return nil }
        return line.dropFirst(key.count).split { $0.isWhitespace || $0 == "\"" || $0 == "'" }.first.map(String.init)
    }
}
