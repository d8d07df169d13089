import ArgumentParser
import Bundles
import Glibc
import Images
import Kube
import SystemPackage

import class Foundation.ProcessInfo

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Makes, checks, mends, signs, compares and splits what is carried in.",
        discussion: """
            A bundle is a directory: bundle.json says what it holds, and every file stands there with its SHA-256. Volumes of \
            one that was split are named by the directory that has them, or by any one of them.

            Exit status 2 if the bundle is not what it should be.
            """,
        subcommands: [
            Create.self, List.self, Verify.self, Repair.self, Diff.self, Add.self, Split.self, Keygen.self, Sign.self,
            Trust.self,
        ])
}

/// The bundle that a command is about.
struct BundleArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The bundle's directory.", valueName: "dir"))
    var directory: String

    @Flag(help: "One JSON object a line, for programs.")
    var json = false

    func open() throws -> BundleFolder { try BundleFolder(opening: FilePath(directory)) }
}

/// Whose signatures count.
struct TrustedKeysOption: ParsableArguments {
    @Option(
        name: .customLong("keys"),
        help: ArgumentHelp(
            "The folder of trusted keys.", discussion: "Default: \(TrustedKeys.folder).", valueName: "folder"))
    var folder = TrustedKeys.folder.string

    func load() throws -> TrustedKeys { try TrustedKeys(in: FilePath(folder)) }
}

extension ImageError {
    /// What an archive or a package is wrong with is wrong input to who makes a bundle.
    static func asFault(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let error as ImageError {
            throw BundleFault(error.description)
        }
    }
}

extension SignatureFinding {
    var line: String {
        switch self {
        case .trusted(let keys): "signed by " + keys.map(\.description).joined(separator: ", ")
        case .unknown(let ids): "signed with keys that are not trusted here: " + ids.joined(separator: ", ")
        case .unsigned: "not signed"
        case .wrong(let key): "the signature of \(key) is wrong"
        }
    }

    var json: JSON {
        switch self {
        case .trusted(let keys): ["state": "trusted", "keys": .array(keys.map { .string($0.id) })]
        case .unknown(let ids): ["state": "unknown", "keys": .array(ids.map { .string($0) })]
        case .unsigned: ["state": "unsigned", "keys": []]
        case .wrong(let key): ["state": "wrong", "keys": [.string(key.id)]]
        }
    }
}

/// Where what can be done again is remembered.
var cacheFolder: FilePath {
    let environment = ProcessInfo.processInfo.environment
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return FilePath(cache).appending("jhub") }
    if geteuid() != 0, let home = environment["HOME"] { return FilePath(home).appending(".cache").appending("jhub") }
    return "/var/cache/jhub"
}
