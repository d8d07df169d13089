import Agent
import ArgumentParser
import Dispatch
import GPUs
import Glibc
import SystemPackage

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The resident agent.",
        discussion: """
            It answers HTTP: /metrics and /healthz to anybody, the rest of /v1/ to whoever has the token. It keeps samples \
            on the disk, writes /run/jhub/health.json, and, with --cluster, labels its node.
            """)

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp(
            "Where to answer; may be repeated.", discussion: "Default: 127.0.0.1:9450.", valueName: "address:port"),
        transform: Run.address)
    var addresses: [ListenAddress] = []

    @Option(
        help: ArgumentHelp(
            "The file with the token for /v1/; without one nobody gets anything there.", valueName: "file"))
    var tokenFile: String?

    @Option(
        name: .customLong("cluster"),
        help: ArgumentHelp("How to reach the API server, to label this node.", valueName: "file"))
    var clusterFile: String?

    @Option(
        name: .customLong("samples"),
        help: ArgumentHelp("Where samples are kept; without it none are.", valueName: "folder"))
    var samplesFolder: String?

    @Option(help: ArgumentHelp("How much of the disk they may take, in MiB.", valueName: "MiB"))
    var samplesSize = 64

    @Option(help: ArgumentHelp("Seconds between two samples that are kept.", valueName: "seconds"))
    var record = 15.0

    @Option(help: ArgumentHelp("The namespace in which pods are users' servers.", valueName: "name"))
    var hubNamespace = "jhub"

    @Option(help: ArgumentHelp("Where the verdicts are written.", valueName: "file"))
    var healthFile = "/run/jhub/health.json"

    @OptionGroup var driver: DriverOptions

    func validate() throws {
        guard (1...65_536).contains(samplesSize) else { throw ValidationError("--samples-size takes 1 to 65536 MiB") }
        guard record >= 0.1, record <= 3600 else { throw ValidationError("--record takes seconds, from 0.1 to 3600") }
    }

    func run() async throws {
        var settings = Service.Settings()
        settings.watch = driver.watch
        settings.listen = addresses.isEmpty ? [ListenAddress("127.0.0.1:9450")].compactMap(\.self) : addresses
        settings.token = try tokenFile.map { try Tokens.read(FilePath($0)) }
        settings.cluster = try clusterFile.map { try ClusterAccess(at: FilePath($0)) }
        settings.hubNamespace = hubNamespace
        settings.ring = samplesFolder.map { FilePath($0) }
        settings.ringSize = samplesSize << 20
        settings.record = .seconds(record)
        settings.healthFile = FilePath(healthFile)
        let service = Service(settings) { Console.errors.line($0) }
        let work = Task { try await service.run() }
        let signals = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { @Sendable in work.cancel() }
            source.activate()
            return source
        }
        defer { for source in signals { source.cancel() } }
        do { try await work.value } catch is CancellationError {}
    }
}

extension Run {
    private static func address(_ text: String) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw ValidationError("'\(text)' is no address with a port, such as 10.0.0.7:9450 or [::1]:9450")
        }
        return address
    }
}
