package import Hosts
import Synchronization
package import SystemPackage

extension ScriptedHost {
    package func run(_ command: Command) async throws(TransportError) -> Outcome {
        do {
            return try outcome(of: command)
        } catch let error as TransportError {
            throw error
        } catch {
            throw TransportError(name, "run \(command)", "\(error)")
        }
    }

    package func run(
        _ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        let input = MemorySink()
        try await feed(input)
        state.withLock { $0.fed[command.argv] = input.bytes }
        return try outcome(of: command)
    }

    private func outcome(of command: Command) throws -> Outcome {
        let scripts = state.withLock { state in
            state.ran.append(command)
            return state.scripts
        }
        for script in scripts.reversed() {
            if let outcome = try script(command, self) { return outcome }
        }
        throw TransportError(name, "run \(command)", "the test has no answer for it")
    }

    package func read(_ path: FilePath) async throws(TransportError) -> [UInt8]? {
        state.withLock { $0.files.contents(path) }
    }

    package func state(of path: FilePath) async throws(TransportError) -> FileState? {
        state.withLock { $0.files.state(path) }
    }

    package func list(_ path: FilePath) async throws(TransportError) -> [String]? {
        state.withLock { $0.files.names(in: path) }
    }

    package func write(_ file: File) async throws(TransportError) {
        state.withLock { state in
            state.files.set(file.path, file)
            state.files.writes.append(file)
        }
    }

    package func make(_ directory: Directory) async throws(TransportError) {
        state.withLock { state in
            state.files.place(.directory(directory.permissions, directory.owner), at: directory.path)
            state.files.made.append(directory)
        }
    }

    package func remove(_ path: FilePath) async throws(TransportError) {
        let isEmpty = state.withLock { state in
            guard state.files.names(in: path)?.isEmpty != false else { return false }
            state.files.set(path, nil)
            state.files.removed.append(path)
            return true
        }
        guard isEmpty else { throw TransportError(name, "remove \(path)", "Directory not empty") }
    }
}

private final class MemorySink: ByteSink {
    private let collected = Mutex<[UInt8]>([])
    var bytes: [UInt8] { collected.withLock { $0 } }
    func write(_ bytes: [UInt8]) async throws { collected.withLock { $0 += bytes } }
}
