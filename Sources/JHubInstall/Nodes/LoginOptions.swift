import ArgumentParser
import Glibc
import Hosts
import Install
import SystemPackage

import class Foundation.FileManager

/// How one gets into other machines. No secret is taken from the command line or from the environment.
struct LoginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The user to log in as.", discussion: "Default: root.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("The port of its SSH server.", discussion: "Default: 22.", valueName: "number"))
    var port: UInt16?

    @Option(
        help: ArgumentHelp(
            "The private key to log in with.",
            discussion: "Default: an agent's, then /root/.ssh/id_ed25519 and id_ecdsa. RSA keys do not work.",
            valueName: "file"))
    var key: String?

    @Flag(help: "The user becomes root through sudo, with the user's password where sudo asks for one.")
    var sudo = false

    @Flag(
        help: ArgumentHelp(
            "Compress all that crosses the wire.",
            discussion: "It pays on cables of 100 Mbit/s, for images whose layers are plain tars."))
    var compress = false

    @Flag(help: "Ask for the user's password on the terminal.")
    var askPassword = false

    @Option(
        help: ArgumentHelp(
            "A file with the user's password.", discussion: "/dev/fd/3 reads it from descriptor 3.", valueName: "file"))
    var passwordFile: String?

    @Flag(help: "Ask for the key's passphrase on the terminal.")
    var askPassphrase = false

    @Option(help: ArgumentHelp("A file with the key's passphrase.", valueName: "file"))
    var passphraseFile: String?

    func validate() throws {
        if askPassword, passwordFile != nil {
            throw ValidationError("--ask-password and --password-file exclude each other")
        }
        if askPassphrase, passphraseFile != nil {
            throw ValidationError("--ask-passphrase and --passphrase-file exclude each other")
        }
    }

    /// What is asked for is asked for once, before anything else.
    func opening() throws -> Workers.Opening {
        let password = try secret(ask: askPassword, "Password of the user on the machines: ", file: passwordFile)
        let passphrase = try secret(ask: askPassphrase, "Passphrase of the key: ", file: passphraseFile)
        let agent = getenv("SSH_AUTH_SOCK").map { FilePath(String(cString: $0)) }
        return { entry in
            var logins: [SSHTarget.Login] = []
            if let key = entry.keyFile { logins.append(.key(key, passphrase: passphrase)) }
            if let agent { logins.append(.agent(agent)) }
            if entry.keyFile == nil {
                logins += Self.usualKeys.filter { FileManager.default.fileExists(atPath: $0.string) }
                    .map { .key($0, passphrase: passphrase) }
            }
            if let password { logins.append(.password(password)) }
            let sudo: SSHTarget.Sudo =
                entry.usesSudo ? password.map { .withPassword($0) } ?? .withoutPassword : .none
            var target = SSHTarget(
                entry.address, port: UInt16(clamping: entry.port), user: entry.user, logins: logins,
                hostKey: entry.hostKey, sudo: sudo)
            target.compresses = compress
            return try await SSHTransport.open(target, name: entry.name)
        }
    }

    private static let usualKeys: [FilePath] = ["/root/.ssh/id_ed25519", "/root/.ssh/id_ecdsa"]

    private func secret(ask: Bool, _ question: String, file: String?) throws -> Secret? {
        if let file { return try SettingsFile.secret(in: FilePath(file)) }
        guard ask else { return nil }
        guard let answer = Console.secret(question) else {
            throw ValidationError("there is no terminal to ask on: name a file with the password")
        }
        return Secret(answer)
    }
}
