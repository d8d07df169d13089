import Hosts

/// What systemd knows of several units at once; a unit that it does not know is left out.
struct UnitStates: Fact {
    struct State: Hashable, Sendable {
        var active: String
        var enabled: String
        /// It runs, is about to, or will after a reboot.
        var isInUse: Bool { active == "active" || active == "activating" || enabled == "enabled" }
    }

    var units: [String]
    init(_ units: [String]) { self.units = units }

    var command: Command {
        Command(["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", "--"] + units)
    }

    func value(of outcome: Outcome) throws(FactError) -> [String: State] {
        guard outcome.status == 0 else { throw FactError("systemctl says '\(outcome.lastWords)'") }
        var states: [String: State] = [:]
        // One block of lines for each unit, with an empty line between.
        for block in outcome.output.split(separator: "\n\n") {
            let values = String(block).assignments
            guard let id = values["Id"], values["LoadState"] == "loaded" || values["LoadState"] == "masked" else {
                continue
            }
            states[id] = State(active: values["ActiveState"] ?? "", enabled: values["UnitFileState"] ?? "")
        }
        return states
    }
}
