import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// The rows that a command of iproute2 prints as JSON. With nothing to say it prints nothing at all.
func rows<Row: Decodable>(
    of outcome: Outcome, from program: String, as type: Row.Type
) throws(FactError) -> [Row] {
    guard outcome.status == 0 else {
        throw FactError("\(program) ended with status \(outcome.status): \(outcome.errors.firstLine)")
    }
    if outcome.output.allSatisfy(\.isWhitespace) { return [] }
    do {
        return try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
    } catch {
        throw FactError("\(program) said what cannot be read: \(outcome.output.firstLine.prefix(200))")
    }
}
