/// Reads the statements of an `EnvFile`; the values are in `EnvReader+Values.swift`.
struct EnvReader {
    let bytes: [UInt8]
    var position = 0
    var line = 1
    var file = EnvFile()

    init(_ text: String) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        for byte in text.utf8.starts(with: mark) ? text.utf8.dropFirst(mark.count) : text.utf8[...] {
            if byte == .newline, bytes.last == .carriageReturn { bytes.removeLast() }
            bytes.append(byte)
        }
        self.bytes = bytes
    }

    mutating func readAll() {
        while peek() != nil {
            do throws(EnvFile.Refusal) { try readStatement() } catch {
                file.refusals.append(error)
                skipLine()
            }
            if peek() == .newline { advance() }
        }
    }

    /// One line, or more where it goes on; it ends before the newline.
    private mutating func readStatement() throws(EnvFile.Refusal) {
        var isExport = false
        var lastKey: String?
        while true {
            skipBlanks()
            guard let byte = peek(), byte != .newline else { return }
            if byte == .hash { return skipLine() }
            let start = line
            let name = identifier()
            if name == "export", !isExport, lastKey == nil, peek()?.isBlank ?? false {
                isExport = true
            } else if !name.isEmpty, peek() == .equals {
                advance()
                file.assignments.append(EnvFile.Assignment(key: name, line: start, pieces: try value(of: name)))
                lastKey = name
            } else if isExport, !name.isEmpty, file.assignments.contains(where: { $0.key == name }), endsWord() {
                lastKey = name  // `export NAME` says nothing new of what was set above.
            } else {
                throw EnvFile.Refusal(line: start, key: lastKey, reason: reason(for: name, isExport, lastKey))
            }
        }
    }

    /// Why this is not an assignment. Values are not repeated: they may be secrets.
    private mutating func reason(for name: String, _ isExport: Bool, _ lastKey: String?) -> String {
        if let byte = peek(), byte.isOperator { return refusal(of: byte) }
        if lastKey != nil { return "a blank ends the value; put the value in quotes" }
        if name == "source" || (name.isEmpty && peek() == .dot && (peek(1)?.isBlank ?? true)) {
            return "'source' is refused: this file is data and no other file is read"
        }
        guard !name.isEmpty, !["if", "for", "while", "case", "function", "set", "unset", "eval", "exec"].contains(name)
        else { return "not KEY=VALUE" + (name.isEmpty ? "" : ": '\(name)' is a command, and nothing here is run") }
        if peek() == .plus, peek(1) == .equals { return "'\(name)+=' is refused: write the whole value after =" }
        if peek() == .leftBracket { return "'\(name)[' is refused: there are no arrays" }
        if endsWord() {
            if isExport { return "'\(name)' has no value: write \(name)=VALUE" }
            skipBlanks()
            if peek() == .equals { return "'\(name)': no blank may stand before or after the =" }
            return "not KEY=VALUE: '\(name.prefix(40))' is a command, and nothing here is run"
        }
        return "not KEY=VALUE: a key has letters, digits and _"
    }

    func refusal(of byte: UInt8) -> String {
        switch byte {
        case .leftParenthesis, .rightParenthesis:
            "a parenthesis is refused: there are no arrays; or put quotes around it"
        default:
            "'\(Character(UnicodeScalar(byte)))' is refused: nothing here is run; if it belongs to the value, put quotes around it"
        }
    }
}

extension EnvReader {
    func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == .newline { line += 1 }
            position += 1
        }
    }

    mutating func identifier() -> String {
        let start = position
        if let first = peek(), first.isNameStart {
            while let byte = peek(), byte.isNameStart || Settings.Naming.isDigit(byte) { position += 1 }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A backslash at the end of a line is a blank too: the line goes on.
    private mutating func skipBlanks() {
        while let byte = peek() {
            if byte.isBlank { advance() } else if byte == .backslash, peek(1) == .newline { advance(2) } else { return }
        }
    }

    private mutating func skipLine() {
        while let byte = peek(), byte != .newline { position += 1 }
    }

    private func endsWord() -> Bool { peek().map { $0.isBlank || $0 == .newline } ?? true }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let hash = UInt8(ascii: "#")
    static let equals = UInt8(ascii: "=")
    static let plus = UInt8(ascii: "+")
    static let dot = UInt8(ascii: ".")
    static let backslash = UInt8(ascii: "\\")
    static let dollar = UInt8(ascii: "$")
    static let backtick = UInt8(ascii: "`")
    static let singleQuote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")
    static let leftBrace = UInt8(ascii: "{")
    static let rightBrace = UInt8(ascii: "}")
    static let leftBracket = UInt8(ascii: "[")
    static let leftParenthesis = UInt8(ascii: "(")
    static let rightParenthesis = UInt8(ascii: ")")

    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
    var isOperator: Bool { ";&|<>()".utf8.contains(self) }
    var isNameStart: Bool { self == UInt8(ascii: "_") || (65...90).contains(self) || (97...122).contains(self) }
}
