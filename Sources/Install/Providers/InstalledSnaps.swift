package import Hosts

/// What snapd has installed.
package struct InstalledSnaps: Fact {
    package struct Snap: Hashable, Sendable {
        package var name: String
        package var version: String
        package var revision: String
        package var isHeld: Bool
    }

    package init() {}

    package let command: Command = ["snap", "list"]

    /// Columns: Name Version Rev Tracking Publisher Notes. With none installed it says so on standard error, status 0.
    package func value(of outcome: Outcome) throws(FactError) -> [Snap] {
        guard outcome.status == 0 else {
            throw FactError("snap list ended with status \(outcome.status): \(outcome.lastWords)")
        }
        var snaps: [Snap] = []
        for line in outcome.output.split(whereSeparator: \.isNewline).dropFirst() {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 6 else { throw FactError("snap list says '\(line)', which has fewer than 6 columns") }
            snaps.append(
                Snap(
                    name: String(words[0]), version: String(words[1]), revision: String(words[2]),
                    isHeld: words[words.count - 1].split(separator: ",").contains("held")))
        }
        return snaps
    }
}
