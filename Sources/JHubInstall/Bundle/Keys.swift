import ArgumentParser
import Bundles
import Kube
import SystemPackage

extension BundleCommand {
    struct Keygen: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key to sign bundles with.",
            discussion: """
                NAME.key signs and stays where bundles are made; NAME.pub goes to the sites. No file is overwritten.
                """)

        @Option(help: ArgumentHelp("Writes NAME.key and NAME.pub.", valueName: "name"))
        var to: String

        @Option(help: ArgumentHelp("Whose it is. Default: the name.", valueName: "text"))
        var comment: String?

        func validate() throws {
            if (comment ?? to).contains(where: \.isNewline) { throw ValidationError("a comment is one line") }
        }

        func run() throws {
            let name = FilePath(to)
            let key = SecretKey(comment: comment ?? name.lastComponent?.string ?? "")
            try key.write(to: name)
            Console.standardOutput.line("\(to).key: keep it secret")
            Console.standardOutput.line("\(to).pub: \(key.publicKey), \(key.publicKey.fingerprint)")
        }
    }

    struct Sign: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Signs a bundle.",
            discussion:
                "The signature is over bundle.json, which has the digest of everything else. Others' signatures stay.")

        @Option(help: ArgumentHelp("The key file that 'bundle keygen' made.", valueName: "file"))
        var key: String

        @OptionGroup var bundle: BundleArgument

        func run() throws {
            let folder = try bundle.open()
            let secret = try SecretKey(reading: FilePath(key))
            if let fault = try folder.listing().first {
                throw BundleFault("\(folder.path) is not whole, and nobody should vouch for it: \(fault)")
            }
            try folder.sign(with: secret)
            let line: JSON = ["event": "signed", "key": .string(secret.publicKey.id)]
            Console.standardOutput.line(bundle.json ? line.text() : "signed by \(secret.publicKey)")
        }
    }

    struct Trust: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Trusts a key from now on, or lists those that are trusted.",
            discussion: """
                Compare the fingerprint with whoever made the key, by another way than the one the bundle came: \
                whoever has the key decides what is installed here.
                """)

        @Argument(help: ArgumentHelp("The key, as 'bundle keygen' made it.", valueName: "FILE.pub"))
        var file: String?

        @OptionGroup var trust: TrustedKeysOption

        @Flag(help: "List the trusted keys.")
        var list = false

        @Flag(name: .shortAndLong, help: "Do not ask.")
        var yes = false

        @Flag(help: "One JSON object a line, for programs.")
        var json = false

        func validate() throws {
            if list == (file != nil) { throw ValidationError("name a FILE.pub, or say --list") }
        }

        func run() throws {
            guard let file else { return try trust.load().keys.forEach(show) }
            let key = try PublicKey(reading: FilePath(file))
            show(key)
            if !yes {
                guard Console.isInteractive else {
                    throw ValidationError("nobody is there to ask: compare the fingerprint, then say --yes")
                }
                guard Console.asksToGoOn("Trust whatever it signs?") else { throw ExitStatus.failed }
            }
            if FilePath(trust.folder) == TrustedKeys.folder { try requireRoot() }
            try TrustedKeys.add(key, in: FilePath(trust.folder))
            if !json { Console.standardOutput.line("trusted from now on: \(trust.folder)/\(key.id).pub") }
        }

        private func show(_ key: PublicKey) {
            let line: JSON = [
                "key": .string(key.id), "fingerprint": .string("\(key.fingerprint)"), "comment": .string(key.comment),
            ]
            Console.standardOutput.line(json ? line.text() : "\(key)  \(key.fingerprint)")
        }
    }
}
