import Glibc
import Subprocess
import SystemPackage

/// The machine that the program runs on.
///
/// A child gets a session of its own, so that Ctrl-C on the terminal reaches
/// only us, and its signals as a shell would set them.
package struct LocalTransport: Transport {
    /// How the machine is called in errors.
    let name: String
    /// How many bytes of each output stream, or of a file, are kept before it is an error.
    let largest: Int

    package init(name: String = "localhost", largest: Int = 64 << 20) {
        (self.name, self.largest) = (name, largest)
        // A program that ends before it has read its input would otherwise end us too.
        signal(SIGPIPE, SIG_IGN)
    }

    package func run(_ command: Command) async throws(TransportError) -> Outcome {
        do {
            return try await launch(command) { sink in
                // A program need not read all that it is given.
                _ = try? await sink.write(command.input)
            }
        } catch let error as TransportError {
            throw error
        } catch {
            throw failure(of: command, "\(error)")
        }
    }

    package func run(
        _ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        try await launch(command, feed: feed)
    }

    func failure(of command: Command, _ reason: String) -> TransportError {
        TransportError(name, "run \(command)", reason)
    }

    /// Runs the command against its time limit: whichever is over first ends the other.
    private func launch(
        _ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        let outcome = try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask { try await execute(command, feed: feed) }
            group.addTask {
                try await Task.sleep(for: command.limit)
                return nil
            }
            defer { group.cancelAll() }
            do {
                return try await group.next() ?? nil
            } catch is CancellationError {
                throw failure(of: command, "it was cancelled")
            }
        }
        guard let outcome else {
            throw failure(of: command, "it was ended after its limit of \(command.limit.components.seconds) s")
        }
        return outcome
    }

    private func execute(
        _ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        let output = Capture(largest: largest)
        let errors = Capture(largest: largest)
        do {
            let result = try await Subprocess.run(
                try configuration(of: command), input: .inputWriter, output: .sequence, error: .sequence
            ) { execution in
                let sink = InputSink(
                    writer: execution.standardInputWriter, errors: errors, host: name, command: command)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await output.drain(execution.standardOutput) }
                    group.addTask { try await errors.drain(execution.standardError) }
                    group.addTask {
                        try await feed(sink)
                        try await execution.standardInputWriter.finish()
                    }
                    // One after the other, not waitForAll(): the first that throws ends the rest.
                    while try await group.next() != nil {}
                }
            }
            return Outcome(status: result.terminationStatus.asInShell, output: output.text, errors: errors.text)
        } catch is Capture.Overflow {
            throw failure(of: command, "it wrote more than \(largest >> 20) MiB")
        } catch let error as SubprocessError {
            throw failure(of: command, reason(error))
        }
    }

    private func configuration(of command: Command) throws -> Configuration {
        guard let program = command.argv.first, !program.isEmpty else {
            throw failure(of: command, "there is no program to run")
        }
        var environment: [Environment.Key: String] = [
            "PATH": Self.path, "LANG": "C.UTF-8", "HOME": Self.home,
        ]
        for (name, value) in command.environment { environment[.init(stringLiteral: name)] = value }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))]
        return Configuration(
            executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(Array(command.argv.dropFirst())), environment: .custom(environment),
            platformOptions: options)
    }

    private func reason(_ error: SubprocessError) -> String {
        switch error.code {
        case .executableNotFound: "there is no such program"
        default: error.underlyingError.map { "\($0)" } ?? "\(error)"
        }
    }

    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
    private static let home = geteuid() == 0 ? "/root" : getenv("HOME").map { String(cString: $0) } ?? "/"
}

extension TerminationStatus {
    fileprivate var asInShell: Int32 {
        switch self {
        case .exited(let status): status
        case .signaled(let signal): 128 + signal
        }
    }
}
