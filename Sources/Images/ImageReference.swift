/// The name of an image, whole: "busybox" is docker.io/library/busybox:latest.
///
/// The grammar is that of distribution/reference, which containerd and the
/// kubelet use, so that a name here is the name there.
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    /// Host and, where given, port.
    package let registry: String
    package let repository: String
    /// Nil where there is a digest: the kubelet asks for NAME:TAG@DIGEST as NAME@DIGEST.
    package let tag: String?
    package let digest: Digest?

    package init(parsing text: String) throws(ImageError) {
        func refused(_ reason: String) -> ImageError {
            ImageError("read the image name", "'\(text.prefix(300))'", reason)
        }
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            digest = try Digest(parsing: String(rest[rest.index(after: at)...]))
            rest = rest[..<at]
        }
        var tag: Substring?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = rest[rest.index(after: colon)...]
            rest = rest[..<colon]
        }
        if let tag, !Self.isTag(tag) { throw refused("'\(tag)' is not a tag") }

        var registry = "docker.io"
        if let slash = rest.firstIndex(of: "/"), Self.looksLikeHost(rest[..<slash]) {
            registry = String(rest[..<slash])
            rest = rest[rest.index(after: slash)...]
            guard Self.isHost(registry) else { throw refused("'\(registry)' is not a host") }
        }
        if registry == "index.docker.io" { registry = "docker.io" }
        var repository = String(rest)
        if repository.contains(where: \.isUppercase) { throw refused("a repository has no upper-case letters") }
        let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy(Self.isComponent) else { throw refused("'\(repository)' is not a repository") }
        if registry == "docker.io", parts.count == 1 { repository = "library/" + repository }
        guard registry.utf8.count + repository.utf8.count < 255 else { throw refused("it is longer than 255 letters") }

        self.registry = registry
        self.repository = repository
        self.digest = digest
        self.tag = digest == nil ? String(tag ?? "latest") : nil
    }

    package var description: String {
        let name = registry + "/" + repository
        if let digest { return "\(name)@\(digest)" }
        return "\(name):\(tag ?? "latest")"
    }
}

extension ImageReference {
    private static func looksLikeHost(_ text: Substring) -> Bool {
        text == "localhost" || text.contains(where: { $0 == "." || $0 == ":" || $0.isUppercase })
    }

    private static func isHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.first else { return false }
        if parts.count == 2, parts[1].isEmpty || !parts[1].utf8.allSatisfy({ (48...57).contains($0) }) { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return isWord(first) && isWord(last) && label.utf8.allSatisfy { isWord($0) || $0 == 45 }
        }
    }

    /// Lower-case words, joined by one '.', one or two '_', or any number of '-'.
    private static func isComponent(_ text: Substring) -> Bool {
        var separator = ""
        guard let last = text.utf8.last, isLower(last) else { return false }
        var atStart = true
        for character in text {
            if let value = character.asciiValue, isLower(value) {
                guard separator.isEmpty || (!atStart && isSeparator(separator)) else { return false }
                (separator, atStart) = ("", false)
            } else {
                separator.append(character)
            }
        }
        return true
    }

    private static func isSeparator(_ text: String) -> Bool {
        text == "." || text == "_" || text == "__" || text.allSatisfy { $0 == "-" }
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isWord(first) || first == 95, text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { isWord($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }

    private static func isLower(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte) }
    private static func isWord(_ byte: UInt8) -> Bool { isLower(byte) || (65...90).contains(byte) }
}
