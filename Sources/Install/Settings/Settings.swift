import Hosts

/// What the operator wants, as typed values: `settings.jhubNs`, `settings.pvcSize`.
///
/// There is one property for each key, and it is declared once, as a member
/// of one of the groups in `Keys/`. The property is the key split at `_`, the
/// first part in lower case, the others with a capital: `PVC_SIZE` is `pvcSize`.
@dynamicMemberLookup
package struct Settings: Sendable, Equatable {
    var entries: [String: Entry]
    /// What parsing had to say beside faults: warnings, and notes on keys that do nothing yet.
    package var remarks: [Fault] = []

    /// Every key at its default.
    package init() { entries = Self.standardEntries }

    private static let standardEntries: [String: Entry] = {
        var settings = Settings(entries: [:])
        // A test holds that no default is at fault.
        for key in allKeys { settings.entries[key.name] = try? settings.standardEntry(for: key) }
        return settings.entries
    }()

    private init(entries: [String: Entry]) { self.entries = entries }

    /// Where a key's value came from.
    package func source(of name: String) -> Source { entries[name]?.source ?? .standard }

    /// A key's value as one would write it; secrets are `***`.
    package func text(of name: String) -> String {
        guard let entry = entries[name] else { return "" }
        return entry.isSecret && !entry.text.isEmpty ? Secret.mask : entry.text
    }

    func value<Value>(of key: Key<Value>) -> Value {
        // `init` fills in every key, so the blank is never seen.
        entries[key.name]?.value as? Value ?? key.kind.blank
    }

    mutating func set<Value>(_ key: Key<Value>, to value: Value) {
        entries[key.name] = Entry(
            value: value, text: key.kind.write(value), source: .program, isSecret: key.isSecret)
    }
}

extension Settings {
    package enum Source: Hashable, Sendable {
        case standard
        case file(line: Int)
        case override
        /// Worked out from other keys.
        case derived(from: [String])
        case program
    }

    struct Entry: Sendable, Equatable {
        var value: any Sendable
        /// What the value was read from, with every reference filled in.
        var text: String
        var source: Source
        var isSecret: Bool

        /// The value follows from the text.
        static func == (one: Entry, other: Entry) -> Bool { one.text == other.text && one.source == other.source }
    }
}

/// Printed, settings are what differs from the defaults, without the secrets.
extension Settings: CustomStringConvertible, CustomReflectable {
    package var description: String {
        let names = Self.allKeys.map(\.name).filter { source(of: $0) != .standard && !text(of: $0).isEmpty }
        return "Settings(\(names.map { "\($0)=\(text(of: $0))" }.joined(separator: " ")))"
    }

    package var customMirror: Mirror { Mirror(self, children: [(label: "settings", value: description)]) }
}

extension Settings.Entry: CustomStringConvertible, CustomReflectable {
    var description: String { isSecret ? Secret.mask : text }
    var customMirror: Mirror { Mirror(self, children: []) }
}
