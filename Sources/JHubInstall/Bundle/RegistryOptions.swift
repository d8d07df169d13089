import ArgumentParser
import Bundles
import SystemPackage

/// How registries are asked.
struct RegistryOptions: ParsableArguments {
    @Option(
        name: .customLong("registry"),
        help: ArgumentHelp(
            "Asks MIRROR for the images of HOST; may be repeated.",
            discussion: "As in docker.io=mirror.example:5000, or docker.io=mirror.example/hub.",
            valueName: "HOST=MIRROR"))
    var mirrors: [String] = []

    @Option(
        help: ArgumentHelp(
            "Speaks to this host without TLS; may be repeated. No other ever is.", valueName: "host[:port]"))
    var plainHttp: [String] = []

    @Option(
        name: .customLong("registry-ca"),
        help: ArgumentHelp("An authority to believe beside the system's, as PEM.", valueName: "file"))
    var authority: String?

    @Option(
        help: ArgumentHelp(
            "The logins: a config.json as 'docker login' writes it.",
            discussion: "Passwords that it has in a helper program are not found.", valueName: "file"))
    var authfile: String?

    func access() throws -> RegistryAccess {
        var access = RegistryAccess(plainHosts: Set(plainHttp))
        for pair in mirrors {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, !parts[1].contains("://") else {
                throw ValidationError("--registry takes HOST=MIRROR, without http://, not '\(pair)'")
            }
            access.mirrors[parts[0]] = parts[1]
        }
        if let authority {
            access.authorities = try InputFile.read(authority)
            guard String(decoding: access.authorities, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
                throw BundleFault("\(authority) is no certificate in PEM: name the authority's own, as a text")
            }
        }
        if let authfile { access.logins = try RegistryLogins(parsing: InputFile.read(authfile), of: authfile) }
        return access
    }
}

/// A small file that a flag names.
enum InputFile {
    /// In bytes; the inventory of a site is the largest, some hundred kilobytes.
    private static let largest = 64 << 20

    static func read(_ name: String) throws(BundleFault) -> [UInt8] {
        do {
            return try SmallFile.read(FilePath(name), upTo: largest)
        } catch {
            throw BundleFault("could not read \(name): \(error)")
        }
    }
}
