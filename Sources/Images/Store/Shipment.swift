import Synchronization
import SystemPackage

/// What is sent of one source.
struct Shipment: Sendable {
    var source: any BlobSource
    var wanted: [WantedBlob]

    var bytes: Int64 { wanted.reduce(0) { $0 + $1.blob.size - $1.offset } }

    /// Each blob once, each archive once. A layout is no pass over one file: each of its images goes by itself, so that two
    /// are read at a time and an interrupt waits for no more than these.
    static func all(of loads: [ImageLoad], to holdings: Holdings, begun: [String: Int64]) -> [Shipment] {
        var shipments: [Shipment] = []
        var seen: Set<Digest> = []
        for (number, image) in loads.map(\.image).enumerated() {
            let lacking = image.blobs.filter { holdings.content[$0.digest] == nil }
            var wanted: [WantedBlob] = []
            for blob in lacking where seen.insert(blob.digest).inserted {
                let offset = begun[ingest(of: blob)] ?? 0
                let rest = WantedBlob(blob, from: offset <= blob.size ? offset : 0)
                if let text = image.source.composed, blob == image.source.manifest {
                    shipments.append(
                        Shipment(source: ComposedManifest(path: image.archive, text: text), wanted: [rest]))
                } else {
                    wanted.append(rest)
                }
            }
            guard !wanted.isEmpty else { continue }
            let isSame = { (shipment: Shipment) in
                image.layout == nil && shipment.source.path == image.archive && !(shipment.source is ComposedManifest)
            }
            if let place = shipments.firstIndex(where: isSame) {
                shipments[place].wanted += wanted
            } else {
                let others = loads[number...].map(\.image).filter { $0.archive == image.archive }
                shipments.append(Shipment(source: image.source(with: others), wanted: wanted))
            }
        }
        return shipments
    }

    /// The name under which a blob is begun. Whoever goes on with it may have another archive: containerd hashes the whole.
    static func ingest(of blob: Blob) -> String { "jhub-install-\(blob.digest)" }
}

/// The one blob that stands in no archive: a manifest that was composed.
struct ComposedManifest: BlobSource {
    var path: FilePath
    var text: String

    func read(_ wanted: [WantedBlob], _ take: (BlobPiece) throws(ImageError) -> Void) throws(ImageError) {
        for blob in wanted {
            try take(BlobPiece(blob.blob, at: blob.offset, Array(text.utf8.dropFirst(Int(blob.offset)))))
        }
    }
}

/// What several take from, each piece once.
final class Queue<Element: Sendable>: Sendable {
    private let rest: Mutex<[Element]>
    init(_ elements: [Element]) { rest = Mutex(elements) }
    func next() -> Element? { rest.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}

/// The bytes that containerd has written, of all that are to be sent.
final class Progress: Sendable {
    struct State {
        var moved: Int64 = 0
        var total: Int64
    }

    private let state: Mutex<State>
    private let meter: Meter
    private let listener: LoadListener

    init(total: Int64, _ meter: Meter, _ listener: LoadListener) {
        state = Mutex(State(total: total))
        (self.meter, self.listener) = (meter, listener)
    }

    func moved(_ bytes: Int64) {
        guard bytes > 0 else { return }
        meter.moved(bytes)
        // Told under the lock, so that who listens sees it grow.
        state.withLock { state in
            state.moved += bytes
            listener.moved(state.moved, state.total)
        }
    }

    /// Something has to be sent again.
    func grow(by bytes: Int64) { state.withLock { $0.total += bytes } }
}
