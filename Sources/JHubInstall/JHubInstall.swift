import ArgumentParser
import Glibc
import Install

@main
struct JHubInstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jhub-install",
        abstract: "Makes of bare Linux hosts without Internet a JupyterHub on Kubernetes, and keeps it so.",
        discussion: """
            It reads one file, jhub.env, and one directory with all that is needed, offline-images. Each stage looks at
            the machine and does only what is missing, so running it again is always safe and always finishes the work.

              sudo jhub-install config check     is the config right?
              sudo jhub-install preflight        is the machine?
              sudo jhub-install plan             what would be done?
              sudo jhub-install                  do it

            Exit status: 0 done, 1 failed, 2 the config or the bundle is wrong (nothing changed), 3 --check found work,
            4 preflight failed (nothing changed), 6 another run holds the lock, 64 wrong usage, 130 interrupted.
            """,
        version: "0.1.0",
        subcommands: [
            Apply.self, PlanCommand.self, PreflightCommand.self, StagesCommand.self, Status.self, ConfigCommand.self,
        ],
        defaultSubcommand: Apply.self)

    static func main() async {
        // A reader that goes away (`| head`) must not kill an installation.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error where ExitStatus.of(error) != nil {
            Console.standardError.line("jhub-install: \(error)")
            exit(withError: ExitStatus.of(error) ?? ExitCode.failure)
        } catch {
            exit(withError: error)
        }
    }
}
