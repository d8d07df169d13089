/// Our lines in a file that is not ours, between two marks.
package struct Block: Sendable {
    package static let begin = "# BEGIN jhub-install"
    package static let end = "# END jhub-install"

    package var lines: [String]
    package init(_ lines: [String]) { self.lines = lines }

    /// The text with this block in the place of an older one, or at its end. All else stays as it is.
    package func put(into text: String) -> String {
        let block = ([Self.begin] + lines + [Self.end]).joined(separator: "\n") + "\n"
        guard let old = Self.range(in: text) else {
            return text.isEmpty || text.hasSuffix("\n") ? text + block : text + "\n" + block
        }
        return text.replacingCharacters(in: old, with: block)
    }

    /// The text without our lines, as it was before them.
    package static func taken(from text: String) -> String {
        range(in: text).map { text.replacingCharacters(in: $0, with: "") } ?? text
    }

    private static func range(in text: String) -> Range<String.Index>? {
        var start: String.Index?
        var line = text.startIndex
        while line < text.endIndex {
            let next = text[line...].firstIndex(of: "\n").map { text.index(after: $0) } ?? text.endIndex
            let words = text[line..<next].trimmed
            if words == begin { start = line }
            if words == end, let start { return start..<next }
            line = next
        }
        return nil
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
