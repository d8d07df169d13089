/// A text that nobody is to see: printed, logged or compared with in a plan it is `***`.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let mask = "***"
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The text itself. Whoever asks is answerable for where it goes.
    package func reveal() -> String { text }

    package var description: String { Self.mask }
    package var debugDescription: String { Self.mask }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
