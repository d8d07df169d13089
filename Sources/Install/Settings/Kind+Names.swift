import Images

extension Settings.Kind where Value == String {
    /// A name as most objects of Kubernetes have it (RFC 1123 label).
    static var name: Self { label(63) }

    /// Helm takes no more, because it puts suffixes behind it.
    static var release: Self { label(53) }

    private static func label(_ most: Int) -> Self {
        text("a name of at most \(most) of a-z, 0-9 and -") { text in
            Settings.Naming.isLabel(text[...], most: most)
                ? nil : "'\(text)' is not a name: a-z, 0-9 and - inside, at most \(most) letters"
        }
    }

    /// Names with dots in them, such as those of storage classes.
    static var dottedName: Self {
        text("a name of a-z, 0-9, - and .") { text in
            Settings.Naming.isHost(text) && text.utf8.allSatisfy { !(65...90).contains($0) }
                ? nil : "'\(text)' is not a name: a-z, 0-9, - and . inside"
        }
    }

    static var version: Self {
        text("a version such as 4.2.0") { text in
            let numbers = text.prefix { $0 != "-" && $0 != "+" }.split(separator: ".", omittingEmptySubsequences: false)
            let isVersion =
                numbers.count == 3 && numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Settings.Naming.isDigit) }
                && text.utf8.allSatisfy { Settings.Naming.isWord($0) || "-+.".utf8.contains($0) }
            return isVersion ? nil : "'\(text)' is not a version such as 4.2.0"
        }
    }

    /// An image, with a tag or a digest that will still be the same one next year.
    static var image: Self {
        text("an image with its tag") { text in
            do throws(ImageError) {
                let image = try ImageReference(parsing: text)
                guard image.tag == "latest" else { return nil }
                return "'\(text)' names whatever is latest, which differs from bundle to bundle; give the tag it has"
            } catch {
                return "'\(text)' is not an image name: \(error.reason)"
            }
        }
    }

    /// A user as the hub knows it. It takes names in any case and makes them
    /// small, so they are small here. Slash, comma and blank are what the
    /// native authenticator refuses; `.` and `..` would leave the folder of
    /// the shared volume.
    static var user: Self {
        var kind = text("a user's name") { text in
            if text == "." || text == ".." { return "'\(text)' is not a user's name" }
            if text.utf8.count > 255 { return "a user's name has at most 255 letters" }
            return text.contains { $0.isWhitespace || "/,:\"'\\".contains($0) }
                ? "'\(text)' is not a user's name: no blanks, quotes, commas, colons or slashes" : nil
        }
        let read = kind.read
        kind.read = { text throws(Settings.Complaint) in try read(text).lowercased() }
        return kind
    }
}

extension Settings {
    /// The grammars that several kinds of value share.
    enum Naming {
        static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        static func isWord(_ byte: UInt8) -> Bool {
            isDigit(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }

        static func isLabel(_ text: Substring, most: Int = 63) -> Bool {
            isHostLabel(text) && text.utf8.count <= most && text.utf8.allSatisfy { !(65...90).contains($0) }
        }

        private static func isHostLabel(_ text: Substring) -> Bool {
            guard let first = text.utf8.first, let last = text.utf8.last else { return false }
            return isWord(first) && isWord(last) && text.utf8.count <= 63
                && text.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
        }

        static func isHost(_ text: String) -> Bool {
            text.utf8.count <= 253
                && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isHostLabel)
        }

        static func isAddress(_ text: String) -> Bool { isIPv4(text[...]) || isIPv6(text) }

        static func isIPv4(_ text: Substring) -> Bool {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            // A leading zero would be octal to some programs.
            return parts.count == 4
                && parts.allSatisfy { part in
                    (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(isDigit) && (UInt16(part) ?? 256) < 256
                        && (part.utf8.count == 1 || !part.hasPrefix("0"))
                }
        }

        private static func isIPv6(_ text: String) -> Bool {
            let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
            guard halves.count <= 2, text.contains(":") else { return false }
            var count = 0
            for (index, half) in halves.enumerated() where !half.isEmpty {
                let groups = half.split(separator: ":", omittingEmptySubsequences: false)
                for (place, group) in groups.enumerated() {
                    if index == halves.count - 1, place == groups.count - 1, isIPv4(group) {
                        count += 2
                    } else if (1...4).contains(group.utf8.count), group.allSatisfy(\.isHexDigit),
                        group.allSatisfy(\.isASCII)
                    {
                        count += 1
                    } else {
                        return false
                    }
                }
            }
            return halves.count == 2 ? count < 8 : count == 8
        }
    }
}
