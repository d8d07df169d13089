import ArgumentParser
import Bundles
import Hosts
import Install
import SystemPackage

struct InventoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "Tells what this site has already.", subcommands: [Export.self])

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes what this site has, for 'bundle create --have' where there is Internet.",
            discussion: """
                It names contents of containerd by digest, packages, snaps and versions, and nothing of users or of the config. \
                It only looks.
                """)

        @OptionGroup var config: ConfigOptions

        @Option(name: .customLong("to"), help: ArgumentHelp("The file; default: the terminal.", valueName: "file"))
        var target: String?

        func run() async throws {
            let site = try config.siteWithoutBundle()
            try requireRoot()
            let text = try await site.inventory(program: JHubInstall.configuration.version).text()
            guard let target else { return Console.standardOutput.write(String(decoding: text, as: UTF8.self)) }
            let file = try FileDescriptor.open(
                FilePath(target), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(text) }
        }
    }
}
