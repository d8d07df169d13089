import ArgumentParser
import Install
import Kube

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks or shows the config; needs no root and looks at nothing else.",
        subcommands: [Check.self, Show.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Names every fault of the config, with its line.", discussion: "Exit status 2 if there is one.")
        @OptionGroup var options: ConfigOptions

        func run() throws {
            let report: ConfigReport
            do {
                report = ConfigReport(try options.settings())
            } catch let error as SettingsError {
                report = ConfigReport(error)
            }
            report.check(asJSON: options.json).forEach(Console.standardOutput.line)
            guard report.exitCode == 0 else { throw ExitCode(report.exitCode) }
            if !options.json { Console.standardOutput.line("\(try options.path()): no fault") }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints each value in force and where it came from; secrets as ***.")
        @OptionGroup var options: ConfigOptions

        func run() throws {
            ConfigReport(try options.settings()).show(asJSON: options.json).forEach(Console.standardOutput.line)
        }
    }
}
