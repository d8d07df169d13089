/// Why an archive could not be read, or a store not asked or filled.
package struct ImageError: Error, Hashable, CustomStringConvertible {
    package var attempt: String
    package var object: String
    package var reason: String
    /// Two archives contradict each other, and neither is damaged.
    package var isConflict: Bool

    package init(_ attempt: String, _ object: String, _ reason: String, isConflict: Bool = false) {
        (self.attempt, self.object, self.reason, self.isConflict) = (attempt, object, reason, isConflict)
    }

    package var description: String { "could not \(attempt) \(object): \(reason)" }
}
