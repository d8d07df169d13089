import ArgumentParser
import Glibc
import Install

@main
struct JHubInstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jhub-install",
        abstract: "Turns a bare Linux machine without Internet into a JupyterHub on Kubernetes, and keeps it so.",
        discussion: """
            It reads one file, jhub.env, and one directory with everything it needs, offline-images. Each stage looks at \
            the machine and does only what is missing, so running it again is always safe.

              sudo jhub-install config check     is the config right?
              sudo jhub-install preflight        can this machine take it?
              sudo jhub-install plan             what would be done?
              sudo jhub-install                  do it
              sudo jhub-install status           how does it stand, and where is the hub?

            Exit status:
              0    done
              1    failed
              2    the config or the bundle is wrong; nothing was changed
              3    plan --check found something to do
              4    preflight failed; nothing was changed
              5    some nodes failed, the others are done
              6    another run is at work
              64   wrong usage
              130  interrupted; the change in hand was finished

            What was done, and what stood there before, is in /var/lib/jhub/changes.jsonl; the log of each run is in \
            /var/log/jhub/. 'jhub-install --generate-completion-script bash' prints completions for a shell (also zsh, fish).
            """,
        version: "0.1.0",
        subcommands: [
            ImagesCommand.self,
            Apply.self, PlanCommand.self, PreflightCommand.self, StagesCommand.self, Status.self, ConfigCommand.self,
            BundleCommand.self, InventoryCommand.self, AddNode.self, RemoveNode.self, NodesCommand.self,
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
