import Glibc
import SystemPackage

/// A stream of text lines. Written at once and unbuffered: what was said before a crash has been said.
struct Console: Sendable {
    static let standardOutput = Console(descriptor: .standardOutput)
    static let standardError = Console(descriptor: .standardError)

    var descriptor: FileDescriptor

    var isTerminal: Bool { isatty(descriptor.rawValue) == 1 }
    /// A person sits at both ends.
    static var isInteractive: Bool { standardOutput.isTerminal && isatty(0) == 1 }

    func line(_ text: String) { write(text + "\n") }

    /// A reader that went away is no reason to stop.
    func write(_ text: String) { _ = try? descriptor.writeAll(Array(text.utf8)) }

    func coloured(_ text: String, _ colour: Colour) -> String {
        Self.usesColour && isTerminal ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// https://no-color.org
    static let usesColour = getenv("NO_COLOR") == nil && !CommandLine.arguments.contains("--no-color")

    static func asksToGoOn(_ question: String) -> Bool {
        standardOutput.write("\(question) [y/N] ")
        return readLine()?.lowercased().hasPrefix("y") ?? false
    }

    /// What is typed on the terminal, unseen; nil where there is none.
    static func secret(_ question: String) -> String? {
        guard isatty(0) == 1, let answer = getpass(question) else { return nil }
        return String(cString: answer)
    }

    /// Columns and rows; 80 by 24 where the terminal does not say.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

enum Colour: Int {
    case plain = 0
    case red = 31
    case green = 32
    case yellow = 33
    case dim = 2
    case bold = 1
}
