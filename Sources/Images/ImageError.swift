/// Why an archive could not be read, or a store not asked or filled.
package struct ImageError: Error, Hashable, CustomStringConvertible {
    package var attempt: String
    package var object: String
    package var reason: String

    package init(_ attempt: String, _ object: String, _ reason: String) {
        (self.attempt, self.object, self.reason) = (attempt, object, reason)
    }

    package var description: String { "could not \(attempt) \(object): \(reason)" }
}
