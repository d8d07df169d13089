import SystemPackage

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

    /// One line, whatever the archive put into its names.
    package var description: String {
        let reason = reason.utf8.count > 600 ? reason.prefix(300) + " … " + reason.suffix(100) : reason[...]
        let first = "could not \(attempt) \(object): \(reason)".printable
        return ([first] + others.map(\.description)).joined(separator: "; ")
    }
}

extension Errno {
    /// What it means, and where it is the stick itself that fails, what to do.
    var inWords: String {
        self == .ioError
            ? "\(self): see whether it is plugged in and in order, and run the same command again" : "\(self)"
    }
}

extension String {
    /// Without what would end the line, or move a terminal's cursor.
    package var printable: String {
        let unprintable: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
        return String(
            String.UnicodeScalarView(
                unicodeScalars.map { unprintable.contains($0.properties.generalCategory) ? " " : $0 }))
    }
}
