import Hosts
import SystemPackage

/// A machine to which each command is put once, however many ask: for checks, while which nothing changes.
struct AskedOnce: Transport {
    private let machine: any Transport
    private let answers = Answers()

    init(_ machine: any Transport) { self.machine = machine }

    func run(_ command: Command) async throws(TransportError) -> Outcome {
        try await answers.task(of: command, on: machine).value.get()
    }

    /// Ends what still runs: the check that asked for it was given up.
    func end() async { await answers.end() }

    func run(_ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void) async throws -> Outcome
    {
        try await machine.run(command, feed: feed)
    }

    func read(_ path: FilePath) async throws(TransportError) -> [UInt8]? { try await machine.read(path) }
    func state(of path: FilePath) async throws(TransportError) -> FileState? { try await machine.state(of: path) }
    func list(_ path: FilePath) async throws(TransportError) -> [String]? { try await machine.list(path) }
    func write(_ file: File) async throws(TransportError) { try await machine.write(file) }
    func make(_ directory: Directory) async throws(TransportError) { try await machine.make(directory) }
    func remove(_ path: FilePath) async throws(TransportError) { try await machine.remove(path) }
}

private actor Answers {
    private var tasks: [Command: Task<Result<Outcome, TransportError>, Never>] = [:]

    func task(of command: Command, on machine: any Transport) -> Task<Result<Outcome, TransportError>, Never> {
        if let task = tasks[command] { return task }
        let task = Task { () -> Result<Outcome, TransportError> in
            do throws(TransportError) { return .success(try await machine.run(command)) } catch {
                return .failure(error)
            }
        }
        tasks[command] = task
        return task
    }

    func end() {
        for task in tasks.values { task.cancel() }
    }
}
