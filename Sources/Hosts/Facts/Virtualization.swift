/// What the machine runs in, as systemd names it ("kvm", "lxc", "docker"); nil on the bare hardware.
package struct Virtualization: Fact {
    package init() {}
    package var command: Command { ["systemd-detect-virt"] }

    package func value(of outcome: Outcome) throws(FactError) -> String? {
        let word = outcome.output.prefix { !$0.isWhitespace }
        guard !word.isEmpty else {
            throw FactError(
                "systemd-detect-virt says nothing (exit status \(outcome.status)): \(outcome.errors.firstLine)")
        }
        return word == "none" ? nil : String(word)
    }
}
