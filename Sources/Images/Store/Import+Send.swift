import Containerd
import Dispatch
import Synchronization
import SystemPackage

extension Import {
    /// A blob on its way, with the pipe that its bytes come through.
    struct Parcel: Sendable {
        var wanted: WantedBlob
        var pipe = Pipe()
        var source: String
        /// Under which it is begun in the store.
        var ingest: String
    }

    /// Reads a source once, and stores its blobs as they come.
    func send(_ shipment: Shipment, _ progress: Progress) async throws {
        let spoiled = try await pass(over: shipment.source, shipment.wanted, progress)
        guard !spoiled.isEmpty else { return }
        // What an earlier run had begun, and a power cut spoiled, is sent from its start, and under a name that nothing
        // was ever begun under: what is left of the other one is the store's to clear away.
        progress.grow(by: spoiled.reduce(0) { $0 + $1.blob.size })
        let again = try await pass(
            over: shipment.source, spoiled, progress, afresh: "-\(UInt64.random(in: 0 ... .max))")
        if let blob = again.first?.blob {
            throw ImageError("store", place(of: blob), "containerd goes on elsewhere than where it is")
        }
    }

    /// Returns what has to be sent again.
    private func pass(
        over source: any BlobSource, _ wanted: [WantedBlob], _ progress: Progress, afresh suffix: String = ""
    ) async throws -> [WantedBlob] {
        let belt = Belt<Parcel>()
        let failure = Failure()
        return try await withThrowingTaskGroup(of: WantedBlob?.self) { group in
            group.addTask {
                try await read(source, wanted, onto: belt, suffix, failure)
                return nil
            }
            for await parcel in belt.parcels {
                group.addTask {
                    defer { belt.clear() }
                    do throws(ImageError) {
                        return try await store(parcel, progress)
                    } catch {
                        // The reader may be at another blob by now.
                        failure.note(error)
                        parcel.pipe.fail(error)
                        throw error
                    }
                }
            }
            var spoiled: [WantedBlob] = []
            for try await blob in group { if let blob { spoiled.append(blob) } }
            return spoiled
        }
    }

    /// On a thread of its own: disks and inflating block.
    private func read(
        _ source: any BlobSource, _ wanted: [WantedBlob], onto belt: Belt<Parcel>, _ suffix: String, _ failure: Failure
    ) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "reader").async {
                continuation.resume(with: Result { try deliver(source, wanted, onto: belt, suffix, failure) })
            }
        }
    }

    private func deliver(
        _ source: any BlobSource, _ wanted: [WantedBlob], onto belt: Belt<Parcel>, _ suffix: String, _ failure: Failure
    ) throws(ImageError) {
        defer { belt.finish() }
        var current: Parcel?
        meter.begin(.reading)
        defer { meter.end(.reading) }
        do {
            try source.read(wanted) { piece throws(ImageError) in
                meter.end(.reading)
                defer { meter.begin(.reading) }
                if current == nil { belt.waitForRoom() }
                if let error = failure.noted { throw error }
                let begun = WantedBlob(piece.blob, from: piece.offset)
                let parcel =
                    current
                    ?? Parcel(
                        wanted: begun, source: source.path.string, ingest: Shipment.ingest(of: piece.blob) + suffix)
                if current == nil {
                    current = parcel
                    guard belt.put(parcel) else { throw ImageError("load images on", node, "interrupted") }
                }
                try parcel.pipe.put(piece.bytes)
                guard piece.isLast else { return }
                parcel.pipe.finish()
                current = nil
            }
        } catch {
            current?.pipe.fail(error)
            throw error
        }
    }

    /// Nil where the blob is in the store now; else what has to be sent again, from its start.
    private func store(_ parcel: Parcel, _ progress: Progress) async throws(ImageError) -> WantedBlob? {
        let (blob, offset) = (parcel.wanted.blob, parcel.wanted.offset)
        let ingest = Containerd.Ingest(
            parcel.ingest,
            of: Containerd.Content(
                digest: blob.digest.description, size: blob.size, labels: links[blob.digest] ?? [:]),
            from: offset)
        do throws(ContainerdError) {
            try await write(ingest, from: parcel, progress)
        } catch {
            if let failure = parcel.pipe.failure { throw failure }
            switch error.code {
            case .alreadyExists:
                // Somebody else brought it meanwhile.
                parcel.pipe.discard()
                try await settle(blob) { () throws(ContainerdError) in
                    if let labels = links[blob.digest] { try await containerd.label(blob.digest.description, labels) }
                }
            case .failedPrecondition, .outOfRange:
                parcel.pipe.discard()
                try await settle(blob) { () throws(ContainerdError) in try await containerd.abort(ingest.name) }
                // Out of range: the store had begun it elsewhere than it said.
                if offset > 0 || error.code == .outOfRange { return WantedBlob(blob) }
                throw ImageError("read", parcel.source, "the blob \(blob.digest) is damaged: \(error.reason)")
            default:
                throw ImageError("store", place(of: blob), "\(error)").withRemedy
            }
        }
        await milestones.reach(.blob(blob.digest))
        return nil
    }

    private func write(
        _ ingest: Containerd.Ingest, from parcel: Parcel, _ progress: Progress
    ) async throws(ContainerdError) {
        let written = Mutex(ingest.offset)
        // A run that was killed a moment ago may still hold it.
        for attempt in 1...Self.attempts {
            meter.begin(.storing)
            defer { meter.end(.storing) }
            do {
                return try await containerd.write(
                    ingest, within: Self.patience(for: parcel.wanted.blob),
                    next: { () throws(ContainerdError) in
                        meter.end(.storing)
                        defer { meter.begin(.storing) }
                        do throws(ImageError) {
                            return try parcel.pipe.next()
                        } catch {
                            throw ContainerdError("Content/Write", "\(error)")
                        }
                    },
                    written: { offset in
                        let more = written.withLock { written in
                            defer { written = max(written, offset) }
                            return offset - written
                        }
                        progress.moved(more)
                    })
            } catch {
                guard error.code == .unavailable, attempt < Self.attempts, parcel.pipe.isFull else { throw error }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private static let attempts = 20

    private func settle(_ blob: Blob, _ body: () async throws(ContainerdError) -> Void) async throws(ImageError) {
        do {
            try await body()
        } catch {
            throw ImageError("store", place(of: blob), "\(error)").withRemedy
        }
    }
}

/// The first thing that went wrong, for all that are at it.
final class Failure: Sendable {
    private let first = Mutex<ImageError?>(nil)
    var noted: ImageError? { first.withLock(\.self) }
    func note(_ error: ImageError) { first.withLock { $0 = $0 ?? error } }
}
