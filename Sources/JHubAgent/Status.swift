import Agent
import ArgumentParser
import GPUs

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How the GPUs stand, what they do, and for whom.",
        discussion: "It asks the agent that runs on this machine; without one it looks itself.")

    @OptionGroup var look: LookOptions

    @Flag(help: "Again and again, until it is interrupted (Ctrl-C).")
    var watch = false

    func run() async throws {
        while true {
            let report = try await look.report()
            let out = Console.output
            if look.json {
                out.line(String(decoding: try JSONText.bytes(of: report), as: UTF8.self))
            } else {
                // Home, each line with its rest wiped, and what is below: a screen that does not flicker.
                let lines = StatusTable(report).lines(coloured: out.isColoured)
                out.write(
                    watch
                        ? "\u{1b}[H" + lines.map { $0 + "\u{1b}[K\n" }.joined() + "\u{1b}[J"
                        : lines.map { $0 + "\n" }.joined())
            }
            guard watch else { throw report.snapshot.node.state.exitCode }
            try await Task.sleep(for: .seconds(look.driver.period))
        }
    }
}

struct Scan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One look at the GPUs, without the agent; the exit status is the verdict.",
        discussion: "0 healthy, 10 degraded, 11 unknown, 12 unhealthy. A node without GPUs and driver is healthy.")

    @OptionGroup var driver: DriverOptions

    @Flag(help: "JSON, for programs.")
    var json = false

    func run() async throws {
        let watch = GPUWatch(driver.watch)
        await watch.look()
        let observer = Observer(watch, owners: Owners(hubNamespace: "jhub"), machine: NodeWatch())
        let snapshot = watch.snapshot()
        let health = Health(snapshot, node: observer.node)
        if json {
            Console.output.line(String(decoding: try JSONText.bytes(of: health), as: UTF8.self))
        } else {
            for line in health.lines { Console.output.line(line) }
        }
        throw snapshot.node.state.exitCode
    }
}

struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Why a GPU stands as it does: what was seen, since when, what is to be done.")

    @Argument(help: ArgumentHelp("Its number, its UUID, or where it sits on the bus (3b:00.0).", valueName: "GPU"))
    var gpu: String

    @OptionGroup var look: LookOptions

    func run() async throws {
        let report = try await look.report()
        guard let explanation = Explanation(of: gpu, in: report) else {
            let names = report.snapshot.gpus.map(\.name).joined(separator: ", ")
            throw ValidationError(
                names.isEmpty ? "this machine has no GPUs" : "there is no GPU '\(gpu)' here; there are: \(names)")
        }
        for line in explanation.lines { Console.output.line(line) }
        throw explanation.state.exitCode
    }
}
