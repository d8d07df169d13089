import Glibc
import SystemPackage

/// A stream of text lines, written at once.
struct Console: Sendable {
    static let output = Console(descriptor: .standardOutput)
    static let errors = Console(descriptor: .standardError)

    var descriptor: FileDescriptor

    /// https://no-color.org
    var isColoured: Bool { isatty(descriptor.rawValue) == 1 && getenv("NO_COLOR") == nil }

    func line(_ text: String) { write(text + "\n") }

    /// A reader that went away is no reason to stop.
    func write(_ text: String) { _ = try? descriptor.writeAll(Array(text.utf8)) }
}
