/// A program and its arguments. It is never a line of shell; the one
/// transport that needs a line, SSH, quotes it there.
package struct Command: Hashable, Sendable, ExpressibleByArrayLiteral {
    package var argv: [String]
    /// Bytes for its standard input. They are never shown: a secret goes this way, not through `argv`.
    package var input: [UInt8] = []
    /// Added to the environment that the transport gives, which is a small one (PATH, LANG=C.UTF-8).
    package var environment: [String: String] = [:]
    /// How long it may run. Then it is ended (SIGTERM, SIGKILL after 2 s) and the transport throws.
    package var limit: Duration = .seconds(600)

    package init(arrayLiteral argv: String...) { self.argv = argv }
    package init(_ argv: [String], input: [UInt8] = [], limit: Duration = .seconds(600)) {
        (self.argv, self.input, self.limit) = (argv, input, limit)
    }
}

extension Command: CustomStringConvertible {
    /// The command as one would type it, quoted where it has to be.
    package var description: String { argv.map(\.shellQuoted).joined(separator: " ") }
}

/// How a command ended. A status other than zero is an answer, not an error.
/// A command ended by signal N has status 128 + N, as a shell says it.
package struct Outcome: Hashable, Sendable {
    package var status: Int32
    package var output: String
    package var errors: String

    package init(status: Int32 = 0, output: String = "", errors: String = "") {
        (self.status, self.output, self.errors) = (status, output, errors)
    }
}

extension String {
    package var shellQuoted: String {
        let plain = allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=@%+,".contains($0)) }
        if plain && !isEmpty { return self }
        return "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
