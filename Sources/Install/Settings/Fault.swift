/// Something to say about a configuration, and where.
package struct Fault: Hashable, Sendable {
    package enum Weight: String, Sendable { case fault, warning, note }

    package var weight: Weight
    package var file: String
    package var line: Int?
    package var key: String?
    package var reason: String

    package init(_ weight: Weight = .fault, file: String, line: Int? = nil, key: String? = nil, _ reason: String) {
        (self.weight, self.file, self.line) = (weight, file, line)
        (self.key, self.reason) = (key, reason)
    }
}

extension Fault: CustomStringConvertible {
    package var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return ([place] + [key].compactMap(\.self) + [reason]).joined(separator: ": ")
    }
}

/// All that is wrong with a configuration, at once.
package struct SettingsError: Error, Hashable, CustomStringConvertible {
    package var faults: [Fault]
    /// Warnings and notes that came with them.
    package var remarks: [Fault]

    package init(_ faults: [Fault], remarks: [Fault] = []) { (self.faults, self.remarks) = (faults, remarks) }

    package var description: String { faults.map(\.description).joined(separator: "\n") }
}
