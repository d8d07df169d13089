import ArgumentParser
import Hosts
import Install
import SystemPackage

/// What a bundle is held against.
struct CompletenessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Prove that the bundle has every image that this config asks for.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The Helm that renders the chart.", discussion: "Default: one on this machine, or the one in the snap.",
            valueName: "file"))
    var helm: String?

    @Option(
        help: ArgumentHelp(
            "Where templates/ and profiles/ are.", discussion: "Default: beside this program.", valueName: "dir"))
    var root: String?

    func validate() throws {
        if config == nil, helm != nil || root != nil { throw ValidationError("--helm and --root go with --config") }
    }

    /// A line for each image that the bundle lacks; nil where no config was named.
    func absent(from directory: FilePath) async throws -> [String]? {
        guard let config else { return nil }
        let wants = Wants(
            settings: try SettingsFile.load(FilePath(config), overrides: [:]), bundle: try Bundle(opening: directory),
            root: try installRoot(root), host: Host(name: "this machine", transport: LocalTransport()),
            helm: helm.map { FilePath($0) })
        return try await wants.absent()
    }
}
