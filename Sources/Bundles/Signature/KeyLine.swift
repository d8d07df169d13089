import FoundationEssentials
import Glibc
import SystemPackage

/// One line of text: what it is, its bytes, and a word on it: "jhub-public-key-1 BASE64 COMMENT".
struct KeyLine {
    var kind: String
    var bytes: [UInt8]
    var comment: String

    /// In bytes. No key and no signature comes near it.
    static let largest = 1 << 16

    init(_ kind: String, _ bytes: [UInt8], _ comment: String) {
        (self.kind, self.bytes, self.comment) = (kind, bytes, comment)
    }

    /// Nil unless it is one line of this kind, with so many bytes.
    init?(reading text: String, _ kind: String, size: Int) {
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0] == kind, let data = Data(base64Encoded: String(words[1])), data.count == size
        else { return nil }
        self.init(kind, Array(data), words.count > 2 ? String(words[2]) : "")
        // It is shown on terminals.
        guard comment.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else { return nil }
    }

    var text: String {
        "\(kind) \(Data(bytes).base64EncodedString())" + (comment.isEmpty ? "" : " \(comment)") + "\n"
    }

    /// The lines of a file.
    static func lines(of path: FilePath) throws(BundleFault) -> [String] {
        let text = try trying("read", path) { try SmallFile.read(path, upTo: largest) }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
