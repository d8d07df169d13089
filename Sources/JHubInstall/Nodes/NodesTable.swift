import ArgumentParser
import Install
import Kube

/// What became of each machine: node, stage, why, next step.
struct NodesTable {
    private let results: [NodeResult]
    private let notes: [String]

    init(_ outcome: Workers.Outcome) { (results, notes) = (outcome.results, outcome.notes) }

    var lines: [String] {
        let width = max(4, results.map(\.entry.name.count).max() ?? 0)
        let indent = String(repeating: " ", count: width + 13)
        var lines = ["\("NODE".padded(to: width))  STAGE      RESULT"]
        for result in results {
            let name = result.entry.name.padded(to: width)
            switch result.outcome {
            case .success(0): lines.append("\(name)  done       everything stands as it should")
            case .success(let changes): lines.append("\(name)  done       \(changes.of("change"))")
            case .failure(let failure):
                lines.append("\(name)  \(failure.stage.padded(to: 9))  \(failure.reasons.first ?? "")")
                lines += failure.reasons.dropFirst().map { indent + $0 }
                lines.append("\(indent)next: \(failure.next)")
            }
        }
        return lines + notes.map { "note: \($0)" }
    }

    func print(asJSON: Bool) {
        let out = Console.standardOutput
        guard asJSON else { return lines.forEach(out.line) }
        for result in results { out.line(result.json.text()) }
        for note in notes { out.line(JSON.object(["event": "note", "text": .string(note)]).text()) }
    }

    /// 5 where some are done; else 4 where nothing was changed anywhere, and 1.
    func throwIfFailed() throws {
        let failures = results.compactMap(\.failure)
        guard !failures.isEmpty else { return }
        if failures.contains(where: \.wasInterrupted) { throw ExitStatus.interrupted }
        if failures.count < results.count { throw ExitStatus.someNodes }
        throw failures.allSatisfy(\.isUntouched) ? ExitStatus.preflight : ExitStatus.failed
    }
}

extension NodeResult {
    fileprivate var json: JSON {
        var members: [String: JSON] = [
            "event": "node", "node": .string(entry.name), "address": .string(entry.address),
        ]
        switch outcome {
        case .success(let changes):
            members["state"] = "done"
            members["changes"] = .int(changes)
        case .failure(let failure):
            members["state"] = "failed"
            members["stage"] = .string(failure.stage)
            members["reasons"] = .array(failure.reasons.map { .string($0) })
            members["next"] = .string(failure.next)
        }
        return .object(members)
    }
}
