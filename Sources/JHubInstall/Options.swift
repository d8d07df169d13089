import ArgumentParser
import Glibc
import Hosts
import Install
import SystemPackage

import class Foundation.FileManager

/// Where the config is, for every command.
struct ConfigOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The config file.", discussion: "Default: ./jhub.env, then /etc/jhub/jhub.env.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides one key of the config for this run; may be repeated.", valueName: "KEY=VALUE"))
    var overrides: [String] = []

    @Flag(help: "One JSON object a line, for programs.")
    var json = false

    @Flag(help: "No colours and no live view.")
    var noColor = false

    /// Reads the config; every fault of it at once, or none.
    func settings() throws -> Settings { try SettingsFile.load(path(), overrides: pairs()) }

    func path() throws -> FilePath {
        if let config { return FilePath(config) }
        let places = ["./jhub.env", "/etc/jhub/jhub.env"]
        guard let found = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            let reason =
                "there is no config, neither here nor in /etc/jhub: copy jhub.env.example, or name one with --config"
            throw SettingsError([Fault(file: places[0], reason)])
        }
        return FilePath(found)
    }

    private func pairs() throws -> [String: String] {
        try Dictionary(
            overrides.map { pair in
                guard let cut = pair.firstIndex(of: "=") else {
                    throw ValidationError("--set takes KEY=VALUE, not '\(pair)'")
                }
                return (String(pair[..<cut]), String(pair[pair.index(after: cut)...]))
            }
        ) { $1 }
    }
}

/// What the commands that look at the machine take.
struct PlaceOptions: ParsableArguments {
    @OptionGroup var config: ConfigOptions

    @Option(
        help: ArgumentHelp(
            "The directory with images, snaps and chart.", discussion: "Default: OFFLINE_IMAGE_DIR of the config.",
            valueName: "dir"))
    var bundle: String?

    @Option(
        help: ArgumentHelp(
            "Where templates/ and profiles/ are.", discussion: "Default: beside this program.", valueName: "dir"))
    var root: String?

    func site() throws -> Site {
        let settings = try config.settings()
        let bundle = try Bundle(
            opening: FilePath(bundle ?? settings.offlineImageDir.string), extraArchives: settings.extraArchives)
        return Site(
            settings: settings, head: Host(name: "head", transport: LocalTransport()),
            provider: settings.provider, bundle: bundle, root: try installRoot(root))
    }
}

extension ConfigOptions {
    /// For a look at what stands, with no bundle and no files of ours.
    func siteWithoutBundle() throws -> Site {
        let settings = try settings()
        return Site(
            settings: settings, head: Host(name: "head", transport: LocalTransport()), provider: settings.provider,
            bundle: Bundle(at: settings.offlineImageDir), root: "/")
    }
}

/// Where the program was put: the folder named, or the nearest above it that has `templates/kubernetes`.
func installRoot(_ named: String?) throws -> FilePath {
    if let named { return FilePath(named) }
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var folder = FilePath(program)
    while folder.removeLastComponent() {
        if FileManager.default.fileExists(atPath: folder.pushing("templates/kubernetes").string) { return folder }
    }
    throw InstallError.refused("no templates/ beside \(program) or above it: name their folder with --root DIR")
}

/// What the commands that go through the stages take.
struct SiteOptions: ParsableArguments {
    @OptionGroup var place: PlaceOptions

    @Option(help: ArgumentHelp("This stage alone ('jhub-install stages' lists them).", valueName: "stage"))
    var only: String?

    @Option(help: ArgumentHelp("This stage and those after it.", valueName: "stage"))
    var from: String?

    @Flag(name: .shortAndLong, help: "Every change with its reason, and every check of preflight.")
    var verbose = false

    func validate() throws {
        let names = Sequences.install.map(\.name)
        for name in [only, from].compactMap(\.self) where !names.contains(name) {
            throw ValidationError("there is no stage '\(name)'; the stages are \(names.joined(separator: ", "))")
        }
        if only != nil && from != nil { throw ValidationError("--only and --from exclude each other") }
    }

    var stages: [any Stage] {
        if let only { return Sequences.install.filter { $0.name == only } }
        if let from { return Array(Sequences.install.drop { $0.name != from }) }
        return Sequences.install
    }

    var config: ConfigOptions { place.config }
    func site() throws -> Site { try place.site() }
}

/// What the commands take that use what is in the bundle.
struct TrustOptions: ParsableArguments {
    @Flag(help: "Take a bundle that nobody has signed, or somebody whom this machine does not know.")
    var allowUnsigned = false

    /// Asks who answers for the bundle, and whether it is whole.
    func pass(_ bundle: Bundle) throws -> BundleTrust { try Gate(allowsUnsigned: allowUnsigned).pass(bundle) }
}

/// Most of what there is to see belongs to root.
func requireRoot() throws {
    guard geteuid() == 0 else {
        Console.standardError.line(
            "jhub-install: this needs root, and was started by user \(geteuid()): run it with sudo")
        throw ExitStatus.preflight
    }
}
