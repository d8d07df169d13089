import Hosts
import Images
import Synchronization
import SystemPackage

/// A host whose `ctr images import` keeps what it is fed; all else succeeds.
final class KeepingTransport: Transport {
    let fed = Mutex<[UInt8]>([])
    let counted = Mutex<Int64>(0)
    let largest = Mutex(0)
    let ran = Mutex<[[String]]>([])
    private let keeps: Bool

    init(keeps: Bool = true) { self.keeps = keeps }

    func run(_ command: Command) async throws(TransportError) -> Outcome {
        ran.withLock { $0.append(command.argv) }
        return Outcome()
    }

    func run(
        _ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        ran.withLock { $0.append(command.argv) }
        try await feed(Sink(transport: self))
        return Outcome()
    }

    private struct Sink: ByteSink {
        var transport: KeepingTransport
        func write(_ bytes: [UInt8]) async throws {
            transport.counted.withLock { $0 += Int64(bytes.count) }
            transport.largest.withLock { $0 = max($0, bytes.count) }
            if transport.keeps { transport.fed.withLock { $0 += bytes } }
        }
    }

    func read(_ path: FilePath) async throws(TransportError) -> [UInt8]? { nil }
    func state(of path: FilePath) async throws(TransportError) -> FileState? { nil }
    func list(_ path: FilePath) async throws(TransportError) -> [String]? { nil }
    func write(_ file: File) async throws(TransportError) {}
    func make(_ directory: Directory) async throws(TransportError) {}
    func remove(_ path: FilePath) async throws(TransportError) {}
}
