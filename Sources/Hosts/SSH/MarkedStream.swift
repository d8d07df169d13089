import Glibc

/// One stream of a request. What counts of it stands between two marks, so that a shell may print before the first
/// what it likes; behind the second is how the request ended.
struct MarkedStream {
    private(set) var bytes: [UInt8] = []
    private(set) var hasBegun: Bool
    /// How it ended, once that is known: what follows the second mark, up to the line's end.
    private(set) var end: String?
    /// What came after that.
    private(set) var surplus: [UInt8] = []
    private let mark: [UInt8]
    private var searched = 0

    init(mark: String, hasBegun: Bool = false) { (self.mark, self.hasBegun) = (Array(mark.utf8), hasBegun) }

    mutating func append(_ piece: some Sequence<UInt8>) {
        guard end == nil else {
            surplus += piece
            return
        }
        bytes += piece
        if !hasBegun, let start = find(mark) {
            bytes.removeSubrange(..<(start + mark.count))
            (hasBegun, searched) = (true, 0)
        }
        guard hasBegun, let start = find(mark) else { return }
        searched = start
        guard let line = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return }
        end = String(decoding: bytes[(start + mark.count)..<line], as: UTF8.self)
        surplus = Array(bytes[(line + 1)...])
        bytes.removeSubrange(start...)
    }

    /// Takes a prompt out of what was printed before the first mark; false where there is none.
    mutating func take(prompt: String) -> Bool {
        let prompt = Array(prompt.utf8)
        guard !hasBegun, let start = bytes.firstRange(of: prompt)?.lowerBound else { return false }
        bytes.removeSubrange(..<(start + prompt.count))
        searched = 0
        return true
    }

    /// The last lines, as one; of endless ones the end.
    var lastWords: String {
        String(decoding: bytes.suffix(1000), as: UTF8.self).split(whereSeparator: \.isNewline).suffix(3)
            .joined(separator: "; ")
    }

    private mutating func find(_ mark: [UInt8]) -> Int? {
        let from = searched
        searched = max(0, bytes.count - mark.count + 1)
        return bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress else { return nil }
            var at = from
            while at + mark.count <= all.count, let hit = memchr(base + at, Int32(mark[0]), all.count - at) {
                at = UnsafeRawPointer(hit) - base
                if at + mark.count <= all.count, memcmp(hit, mark, mark.count) == 0 { return at }
                at += 1
            }
            return nil
        }
    }
}
