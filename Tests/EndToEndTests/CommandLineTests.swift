import Foundation
import Hosts
import Kube
import SystemPackage
import Testing

/// The program itself, as somebody types it.
@Suite struct CommandLineTests {
    private let folder = FilePath(FileManager.default.temporaryDirectory.path).appending(
        "jhub-cli-\(UUID().uuidString)")
    private static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent()
    /// Built beside the tests.
    private static let program =
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        .split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/jhub-install"

    private func run(_ arguments: String...) async throws -> Outcome {
        try await LocalTransport().run(Command([try #require(Self.program)] + arguments))
    }

    /// A config with this text, where only its owner writes.
    private func config(_ text: String) throws -> String {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let path = folder.appending("\(UUID().uuidString).env").string
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    private func lines(_ outcome: Outcome) -> [String] { outcome.output.split(separator: "\n").map(String.init) }

    private static let stages = ["host", "cluster", "images", "network", "dns", "storage", "hub", "access", "agent"]
    private static let example = repository.appending("jhub.env.example").string

    @Test(arguments: [
        ([], "SUBCOMMANDS:"), (["apply"], "--yes"), (["plan"], "--check"), (["preflight"], "--fix"),
        (["stages"], "--json"),
        (["status"], "--only"), (["config"], "check"), (["config", "check"], "--config"),
        (["config", "show"], "--set"),
    ])
    func helpTeaches(_ words: [String], word: String) async throws {
        let outcome = try await LocalTransport().run(Command([try #require(Self.program)] + words + ["--help"]))
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("OVERVIEW: ") && outcome.output.contains("USAGE: jhub-install"))
        #expect(outcome.output.contains(word))
        #expect(outcome.errors.isEmpty)
    }

    @Test func itsVersionIsANumber() async throws {
        #expect(try await run("--version").output.split(separator: ".").count == 3)
    }

    @Test func stagesAreListedInOrder() async throws {
        let plain = try await run("stages")
        #expect(lines(plain).map { $0.split(separator: " ").first.map(String.init) } == Self.stages)
        let json = try await run("stages", "--json")
        #expect(try lines(json).map { try JSON(parsing: $0)["stage"]?.string } == Self.stages)
    }

    @Test func theExampleHasNoFault() async throws {
        let config = try config(String(contentsOfFile: Self.example, encoding: .utf8))
        let outcome = try await run("config", "check", "--config", config)
        #expect(outcome.status == 0)
        #expect(lines(outcome).last == "\(config): no fault")
    }

    @Test func faultsAndWarningsComeTogether() async throws {
        let config = try config("JHUB_SN=a\nENABLE_IB=true\nRQ_PODS=many\n")
        let outcome = try await run("config", "check", "--config", config)
        #expect(outcome.status == 2)
        #expect(
            lines(outcome).map { $0.replacing(config, with: "F").prefix(16) } == [
                "F:1: JHUB_SN: no", "F:3: RQ_PODS: 'm", "warning: F:2: EN",
            ])
        let json = try await run("config", "check", "--json", "--config", config)
        #expect(json.status == 2)
        let weights = try JSON(parsing: json.output).array?.map { $0["weight"]?.string }
        #expect(weights == ["fault", "fault", "warning"])
    }

    @Test func aConfigWithRemarksIsGood() async throws {
        let outcome = try await run("config", "check", "--json", "--config", try config("ENABLE_IB=true\n"))
        #expect(outcome.status == 0)
        #expect(try JSON(parsing: outcome.output).array?.first?["weight"] == "warning")
    }

    @Test func aConfigThatOthersCanWriteIsRefused() async throws {
        let config = try config("")
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: config)
        for command in ["check", "show"] {
            let outcome = try await run("config", command, "--config", config)
            #expect(outcome.status == 2)
            #expect((outcome.output + outcome.errors).contains("others can write \(config)"))
        }
    }

    @Test func whatIsInForceIsShownWithoutSecrets() async throws {
        let config = try config("GITHUB_CLIENT_SECRET=geheim\n")
        let plain = try await run("config", "show", "--config", config, "--set", "JHUB_NS=other")
        #expect(plain.status == 0)
        #expect(lines(plain).contains { $0.split(separator: " ") == ["JHUB_NS", "other", "--set"] })
        let json = try await run("config", "show", "--json", "--config", config)
        #expect(try JSON(parsing: json.output).array?.contains { $0["key"] == "JHUB_NS" } == true)
        for outcome in [plain, json] { #expect(!outcome.output.contains("geheim")) }
    }

    @Test func aMissingConfigOrBundleIsWrongInput() async throws {
        let missing = try await run("config", "check", "--config", "/nowhere/jhub.env")
        #expect(missing.status == 2 && (missing.output + missing.errors).contains("/nowhere/jhub.env"))
        for command in ["plan", "preflight", "status"] {
            let outcome = try await run(command, "--config", try config(""), "--bundle", "/nowhere")
            #expect(outcome.status == 2)
            #expect(outcome.errors.hasPrefix("jhub-install: there is no bundle directory /nowhere"))
            #expect(lines(Outcome(output: outcome.errors)).count == 1)
        }
    }

    @Test(arguments: [
        ["--nonsense"], ["plan", "--nonsense"], ["nonsense"], ["config", "check", "--set", "nonsense"],
        ["plan", "--only", "nonsense"], ["plan", "--only", "host", "--from", "hub"], ["--patience", "0"],
        ["stages", "extra"],
        ["apply", "--ignore"],
    ])
    func wrongUsageEndsWith64(_ arguments: [String]) async throws {
        let command = Command([try #require(Self.program)] + arguments + ["--config", Self.example])
        let outcome = try await LocalTransport().run(
            arguments.first == "stages" ? Command([command.argv[0]] + arguments) : command)
        #expect(outcome.status == 64, "\(outcome)")
        #expect(outcome.errors.contains("Usage: ") || outcome.errors.contains("Error: "))
        #expect(outcome.output.isEmpty)
    }

    @Test func whoeverIsNotRootIsToldSo() async throws {
        let program = try #require(Self.program)
        let config = try config("")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: config)
        let nobody = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        for command in ["apply", "plan", "status"] {
            let words = [
                program, command, "--config", config, "--bundle", folder.string, "--root", Self.repository.string,
            ]
            let outcome = try await LocalTransport().run(Command(nobody + words))
            #expect(outcome.status == 4, "\(outcome)")
            #expect(outcome.errors.hasPrefix("jhub-install: this needs root"))
            #expect(outcome.output.isEmpty)
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func aShellCanCompleteIt(_ shell: String) async throws {
        let outcome = try await run("--generate-completion-script", shell)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("jhub-install") && outcome.output.contains("preflight"))
        guard shell == "bash" else { return }
        let check = try await LocalTransport().run(Command(["bash", "-n"], input: Array(outcome.output.utf8)))
        #expect(check == Outcome(), "\(check)")
    }

    @Test func aReaderThatGoesAwayIsNoCrash() async throws {
        let program = try #require(Self.program)
        let line = #""$0" config show --config "$1" | head -n 1; echo "${PIPESTATUS[0]}""#
        let outcome = try await LocalTransport().run(
            Command(["bash", "-c", line, program, try config("")]))
        #expect(lines(outcome).count == 2)
        #expect(lines(outcome).last == "0")
        #expect(outcome.errors.isEmpty)
    }
}
