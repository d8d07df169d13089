import Agent
import ArgumentParser
import GPUs
import NIOPosix
import SystemPackage

/// Where the agent that runs here can be asked; and how to look without one.
struct LookOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The port of the agent on this machine.", valueName: "port"))
    var port = 9450

    @Option(help: ArgumentHelp("The file with its token.", valueName: "file"))
    var tokenFile = "/etc/jhub/agent/token"

    @OptionGroup var driver: DriverOptions

    @Option(help: ArgumentHelp("The hub's namespace, where no agent runs that knows it.", valueName: "name"))
    var hubNamespace = "jhub"

    @Flag(help: "JSON, for programs.")
    var json = false

    /// What the agent says; where none answers, what there is to be seen at one look, which has no history.
    func report() async throws -> Report {
        if let report = try await asked() { return report }
        let watch = GPUWatch(driver.watch)
        await watch.look()
        return Observer(watch, owners: Owners(hubNamespace: hubNamespace), machine: NodeWatch()).report()
    }

    private func asked() async throws -> Report? {
        guard let token = try? Tokens.read(FilePath(tokenFile)) else { return nil }
        var call = WebClient.Call(host: "127.0.0.1", port: port, path: "/v1/report")
        call.token = token
        let client = try WebClient(group: MultiThreadedEventLoopGroup.singleton)
        guard let answer = try? await client.send(call, within: .seconds(2)), answer.status == 200 else { return nil }
        return try JSONText.value(of: answer.body)
    }
}

/// How the driver is looked at.
struct DriverOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The driver's library.", discussion: "Default: the usual places.", valueName: "file"))
    var library: String?

    @Option(help: ArgumentHelp("Seconds between two samples.", valueName: "seconds"))
    var period = 1.0

    var watch: GPUWatch.Settings {
        var settings = GPUWatch.Settings()
        settings.library = library
        settings.period = .seconds(period)
        return settings
    }

    func validate() throws {
        guard period >= 0.001, period <= 3600 else {
            throw ValidationError("--period takes seconds, from 0.001 to 3600")
        }
    }
}
