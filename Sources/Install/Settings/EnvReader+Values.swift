extension EnvReader {
    /// A value up to the blank or the newline that ends it.
    mutating func value(of key: String) throws(EnvFile.Refusal) -> [EnvFile.Piece] {
        var pieces = Pieces()
        let start = position
        while let byte = peek(), !byte.isBlank, byte != .newline {
            if byte.isOperator {
                let isArray = byte == .leftParenthesis && position == start
                throw refusal(isArray ? "arrays are refused; write a list with commas" : refusal(of: byte), key)
            }
            switch byte {
            case .singleQuote: try readSingleQuoted(into: &pieces, key)
            case .doubleQuote: try readDoubleQuoted(into: &pieces, key)
            default: try readPlain(byte, into: &pieces, key, depth: 0)
            }
        }
        return pieces.all
    }

    /// What means the same outside quotes and in the default of a reference.
    private mutating func readPlain(
        _ byte: UInt8, into pieces: inout Pieces, _ key: String, depth: Int
    ) throws(EnvFile.Refusal) {
        switch byte {
        case .backslash:
            guard let next = peek(1) else { throw refusal("the file ends in a backslash", key) }
            if next != .newline { pieces.append(next) }
            advance(2)
        case .dollar, .backtick:
            try readDollar(into: &pieces, key, isQuoted: false, depth)
        default:
            pieces.append(byte)
            advance()
        }
    }

    private mutating func readSingleQuoted(into pieces: inout Pieces, _ key: String) throws(EnvFile.Refusal) {
        let opening = (position, line)
        advance()
        while let byte = peek(), byte != .singleQuote {
            if byte == .newline, startsAssignment(at: position + 1) { throw unclosed("'", opening, key) }
            pieces.append(byte)
            advance()
        }
        guard peek() != nil else { throw unclosed("'", opening, key) }
        advance()
    }

    private mutating func readDoubleQuoted(into pieces: inout Pieces, _ key: String) throws(EnvFile.Refusal) {
        let opening = (position, line)
        advance()
        while let byte = peek(), byte != .doubleQuote {
            switch byte {
            case .backslash:
                // Before any other letter the backslash stays, as in a shell.
                if let next = peek(1), [.dollar, .backtick, .doubleQuote, .backslash].contains(next) {
                    pieces.append(next)
                    advance(2)
                } else if peek(1) == .newline {
                    advance(2)
                } else {
                    pieces.append(byte)
                    advance()
                }
            case .dollar, .backtick:
                try readDollar(into: &pieces, key, isQuoted: true, 0)
            case .newline where startsAssignment(at: position + 1):
                throw unclosed("\"", opening, key)
            default:
                pieces.append(byte)
                advance()
            }
        }
        guard peek() != nil else { throw unclosed("\"", opening, key) }
        advance()
    }

    private mutating func readDollar(
        into pieces: inout Pieces, _ key: String, isQuoted: Bool, _ depth: Int
    ) throws(EnvFile.Refusal) {
        let next = peek(1)
        if peek() == .backtick || next == .leftParenthesis {
            throw refusal("command substitution is refused: this file is data, and nothing here is run", key)
        }
        guard let next else {
            pieces.append(.dollar)
            return advance()
        }
        if next.isNameStart {
            advance()
            pieces.append(.reference(identifier(), otherwise: nil))
        } else if next == .leftBrace {
            try readBraces(into: &pieces, key, depth)
        } else if Settings.Naming.isDigit(next) || "?#$!*@-".utf8.contains(next) {
            throw refusal("'$\(Character(UnicodeScalar(next)))' is refused: only a running shell has it", key)
        } else if !isQuoted, next == .singleQuote || next == .doubleQuote {
            throw refusal("a $ before a quote is refused", key)
        } else {
            pieces.append(.dollar)
            advance()
        }
    }

    /// `${NAME}` or `${NAME:-DEFAULT}`.
    private mutating func readBraces(into pieces: inout Pieces, _ key: String, _ depth: Int) throws(EnvFile.Refusal) {
        let forms = "only $NAME, ${NAME} and ${NAME:-DEFAULT} are understood"
        advance(2)
        let name = identifier()
        guard !name.isEmpty, depth < 8 else { throw refusal(forms, key) }
        if peek() == .rightBrace {
            pieces.append(.reference(name, otherwise: nil))
            return advance()
        }
        guard peek() == UInt8(ascii: ":"), peek(1) == UInt8(ascii: "-") else { throw refusal(forms, key) }
        advance(2)
        var otherwise = Pieces()
        while let byte = peek(), byte != .rightBrace {
            if [.newline, .singleQuote, .doubleQuote].contains(byte) {
                throw refusal("no quotes or line breaks in ${…}", key)
            }
            try readPlain(byte, into: &otherwise, key, depth: depth + 1)
        }
        guard peek() != nil else { throw refusal("the { is not closed", key) }
        advance()
        pieces.append(.reference(name, otherwise: otherwise.all))
    }

    private func refusal(_ reason: String, _ key: String) -> EnvFile.Refusal {
        EnvFile.Refusal(line: line, key: key, reason: reason)
    }

    /// Goes back to the line of the quote, so that the lines behind it are read by themselves.
    private mutating func unclosed(_ quote: String, _ opening: (Int, Int), _ key: String) -> EnvFile.Refusal {
        (position, line) = opening
        return refusal("the \(quote) is not closed", key)
    }

    /// A quote may run over a line end, but not over what is plainly the next assignment.
    private func startsAssignment(at start: Int) -> Bool {
        var reader = self
        reader.position = start
        while let byte = reader.peek(), byte.isBlank { reader.position += 1 }
        var name = reader.identifier()
        if name == "export" {
            while let byte = reader.peek(), byte.isBlank { reader.position += 1 }
            name = reader.identifier()
        }
        return !name.isEmpty && name == name.uppercased() && reader.peek() == .equals
    }
}

/// The pieces of a value while it is read.
private struct Pieces {
    private var done: [EnvFile.Piece] = []
    private var bytes: [UInt8] = []

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append(_ piece: EnvFile.Piece) {
        done = all
        bytes = []
        done.append(piece)
    }

    var all: [EnvFile.Piece] {
        bytes.isEmpty ? done : done + [.text(String(decoding: bytes, as: UTF8.self))]
    }
}
