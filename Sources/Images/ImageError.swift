/// Why an archive could not be read, or a store not asked or filled.
package struct ImageError: Error, Hashable, CustomStringConvertible {
    package var attempt: String
    package var object: String
    package var reason: String
    /// Two archives contradict each other, and neither is damaged.
    package var isConflict: Bool
    /// What else the same look found wrong: all is told at once.
    package var others: [ImageError] = []

    package init(_ attempt: String, _ object: String, _ reason: String, isConflict: Bool = false) {
        (self.attempt, self.object, self.reason, self.isConflict) = (attempt, object, reason, isConflict)
    }

    /// Throws the faults as one; does nothing where there are none.
    static func throwIfAny(_ faults: [ImageError]) throws(ImageError) {
        guard var first = faults.first else { return }
        first.others += faults.dropFirst()
        throw first
    }

    package var description: String {
        (["could not \(attempt) \(object): \(reason)"] + others.map(\.description)).joined(separator: "; ")
    }
}
