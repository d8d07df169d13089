import Agent
import ArgumentParser
import GPUs
import Glibc

@main
struct JHubAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jhub-agent",
        abstract: "Knows what every GPU of this node is, does and suffers, and tells.",
        discussion: """
              jhub-agent status          how do the GPUs stand, and who is on them?
              jhub-agent why 3           why does GPU 3 stand as it does?
              jhub-agent scan            one look, for a script: the exit status is the verdict
              jhub-agent run             the resident agent; systemd starts it as jhub-agent.service

            Exit status:
              0    done; of status, scan and why: healthy
              1    failed
              10   degraded
              11   unknown: the driver does not tell
              12   unhealthy
              64   wrong usage
            """,
        version: "0.1.0", subcommands: [Run.self, Status.self, Scan.self, Why.self], defaultSubcommand: Status.self)

    static func main() async {
        // A reader that goes away (`| head`) is no reason to die without a word.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let isOwn =
                error is ExitCode || error is ValidationError || error is CleanExit
                || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
            guard !isOwn else { exit(withError: error) }
            Console.errors.line("jhub-agent: \(error)")
            exit(withError: ExitCode(1))
        }
    }
}

extension Verdict.State {
    /// In the order of how bad it is, beyond the statuses that all programs here share.
    var exitCode: ExitCode {
        switch self {
        case .healthy: ExitCode(0)
        case .degraded: ExitCode(10)
        case .unknown: ExitCode(11)
        case .unhealthy: ExitCode(12)
        }
    }
}
