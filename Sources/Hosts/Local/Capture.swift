import Subprocess
import Synchronization

/// What a program has written on one of its streams.
final class Capture: Sendable {
    struct Overflow: Error {}

    private let bytes = Mutex<[UInt8]>([])
    private let largest: Int
    private let (ended, end) = AsyncStream.makeStream(of: Never.self)

    init(largest: Int) { self.largest = largest }

    func drain(_ stream: SubprocessOutputSequence) async throws {
        defer { end.finish() }
        for try await piece in stream {
            let fits = bytes.withLock { bytes in
                guard bytes.count + piece.count <= largest else { return false }
                piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
                return true
            }
            guard fits else { throw Overflow() }
        }
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    /// All of it, once the program has closed the stream.
    func wholeText() async -> String {
        for await _ in ended {}
        return text
    }
}

/// The standard input of a running program.
struct InputSink: ByteSink {
    let writer: StandardInputWriter
    let errors: Capture
    let host: String
    let command: Command

    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        // A short count is how a program's end shows where its input was full.
        let written = (try? await writer.write(bytes)) ?? 0
        guard written < bytes.count else { return }
        try Task.checkCancellation()
        throw TransportError(host, "feed \(command)", await complaint())
    }

    /// What the program had to say before it stopped reading, as one line.
    private func complaint() async -> String {
        let lines = await errors.wholeText().split(whereSeparator: \.isNewline).suffix(3)
        return lines.isEmpty ? "it ended before it had read its input" : lines.joined(separator: "; ")
    }
}
