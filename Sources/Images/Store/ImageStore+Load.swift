import Crypto
import Hosts
import SystemPackage

extension ImageStore {
    /// Sends what is missing, names it and pins it. `progress` is told the
    /// bytes sent so far. Whether it worked is asked of `holdings()` afterwards.
    package func load(
        _ load: ImageLoad, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws {
        do {
            if load.lacks != [.pin] { try await send(load, in: load.source, progress) }
        } catch let refusal as Refusal {
            guard refusal.isOfContent else { throw refusal.error }
            try await sendAfresh(load, progress)
        }
        for name in load.references { _ = try await ask(["images", "label", name.description, Self.pin]) }
    }

    /// Once more, asking again what is there: content that nothing referred to
    /// may have been collected meanwhile. And under a new name: what an earlier
    /// run had begun, and a power cut spoiled, is then not gone on with.
    private func sendAfresh(
        _ load: ImageLoad, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        var load = load
        let content = try await holdings().content
        load.missing = load.image.blobs.filter { !content.contains($0.digest) }
        do {
            try await send(load, in: String(UInt64.random(in: 0 ... .max), radix: 16), progress)
        } catch let refusal as Refusal {
            throw refusal.error
        }
    }

    /// That the store did not take what it was sent.
    private struct Refusal: Error {
        var error: ImageError
        var isOfContent: Bool
    }

    private func send(
        _ load: ImageLoad, in folder: String, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        // 2 MiB a second is what the slowest disk that a node may have takes.
        let limit = Duration.seconds(600 + (load.image.blobs.reduce(0) { $0 + $1.size }) >> 21)
        let command = Command(command + ["images", "import", "-"], limit: limit)
        let name = load.references.first?.description ?? "an image"
        let outcome: Outcome
        do {
            outcome = try await host.transport.run(command) { sink in
                let archive = try ThinArchiveReader(load, in: folder)
                var piece = try await archive.next()
                while let (bytes, sent) = piece {
                    // While one piece is written the next is read and hashed.
                    async let next = archive.next()
                    try await sink.write(bytes)
                    progress(sent)
                    piece = try await next
                }
            }
        } catch let error as TransportError {
            // It says which command failed; who reads it wants to know which image.
            throw ImageError("import", "\(name) on \(host.name)", error.reason).withRemedy
        }
        guard outcome.status == 0 else {
            let error = failure("import", name, outcome).withRemedy
            throw Refusal(error: error, isOfContent: outcome.errors.contains("not found"))
        }
    }
}

extension ImageError {
    /// With what to do about it, where that is plain.
    fileprivate var withRemedy: ImageError {
        guard reason.contains("no space left on device") else { return self }
        var error = self
        error.reason += "; free some there, and run the same command again"
        return error
    }
}

extension ImageLoad {
    /// A name for this archive as it is now: if another takes its place, nothing
    /// that was begun from it may be gone on with.
    fileprivate var source: String {
        let text = "\(image.archive) \(ShelfIndex.Seal(of: image.archive).map { "\($0)" } ?? "")"
        return String(Digest(of: text.utf8).hex.prefix(16))
    }
}

/// Reads on a thread of its own: disks and inflating block.
private actor ThinArchiveReader {
    private let executor = ThreadExecutor()
    private var archive: ThinArchive

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ load: ImageLoad, in folder: String) throws(ImageError) {
        archive = try ThinArchive(load, in: folder)
    }

    func next() throws(ImageError) -> (bytes: [UInt8], sent: Int64)? {
        guard let bytes = try archive.next() else { return nil }
        return (bytes, archive.sent)
    }
}
