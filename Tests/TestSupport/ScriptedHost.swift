package import Hosts
import Synchronization
package import SystemPackage

/// A host of a test's making: it answers commands by a script, keeps files in
/// memory, and throws on a command that it was given no answer for.
package final class ScriptedHost: Transport {
    typealias Script = @Sendable (Command, ScriptedHost) throws -> Outcome?

    struct State: Sendable {
        var scripts: [Script] = []
        var ran: [Command] = []
        var fed: [[String]: [UInt8]] = [:]
        var files = MemoryFiles()
    }

    let state: Mutex<State>
    package let name: String

    /// Commands are matched by their arguments alone; files get mode 0644 and owner root.
    package init(
        name: String = "scripted", _ answers: [Command: Outcome] = [:], files: [FilePath: String] = [:]
    ) {
        self.name = name
        state = Mutex(State())
        for (command, outcome) in answers { answer(command, outcome) }
        for (path, text) in files { self[path] = text }
    }

    /// As the installer's stages take it.
    package var host: Host { Host(name: name, transport: self) }

    /// From now on the command is answered so; a later answer goes before an earlier one.
    package func answer(_ command: Command, _ outcome: Outcome) {
        answer(where: { $0.argv == command.argv }, outcome)
    }

    package func answer(_ command: Command, output: String, status: Int32 = 0) {
        answer(command, Outcome(status: status, output: output))
    }

    package func answer(where matches: @escaping @Sendable (Command) -> Bool, _ outcome: Outcome) {
        script { command, _ in matches(command) ? outcome : nil }
    }

    /// The command is answered so, and has an effect on the host: other answers, other files.
    package func answer(
        _ command: Command, _ outcome: Outcome = Outcome(), effect: @escaping @Sendable (ScriptedHost) -> Void
    ) {
        script { asked, host in
            guard asked.argv == command.argv else { return nil }
            effect(host)
            return outcome
        }
    }

    /// For whatever the other forms cannot say; nil is "no answer of mine".
    package func script(_ script: @escaping @Sendable (Command, ScriptedHost) throws -> Outcome?) {
        state.withLock { $0.scripts.append(script) }
    }

    /// Every command that was run, in order, answered or not.
    package var ran: [Command] { state.withLock { $0.ran } }

    /// What was written to the standard input of a command run with a feed.
    package func fed(_ command: Command) -> [UInt8]? { state.withLock { $0.fed[command.argv] } }

    /// What was written, made and removed, in order.
    package var writes: [File] { state.withLock { $0.files.writes } }
    package var made: [Directory] { state.withLock { $0.files.made } }
    package var removed: [FilePath] { state.withLock { $0.files.removed } }

    /// A file's text, as a test sets or looks at it; it is not recorded among the writes.
    package subscript(path: FilePath) -> String? {
        get { state.withLock { $0.files.contents(path).map { String(decoding: $0, as: UTF8.self) } } }
        set { state.withLock { $0.files.set(path, newValue.map { File(path, $0) }) } }
    }

    /// Puts something else than a file there, without a record.
    package func place(_ entry: MemoryFiles.Entry, at path: FilePath) {
        state.withLock { $0.files.place(entry, at: path) }
    }

    /// Forgets what was run, fed, written, made and removed; answers and files stay.
    package func forget() {
        state.withLock { state in
            (state.ran, state.fed) = ([], [:])
            (state.files.writes, state.files.made, state.files.removed) = ([], [], [])
        }
    }
}
