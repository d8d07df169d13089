import Dispatch
package import Images
import SystemPackage

/// Brings the blobs of images into a layout: each once, and none that stands there.
package struct LayoutFiller: Sendable {
    private let layout: LayoutWriter
    private let images: [SuppliedImage]
    /// What has to come.
    package let missing: [Blob]

    /// How many blobs come side by side, where that can be.
    static let lanes = 4

    /// - Parameter omitted: layers that the site has already.
    package init(_ layout: LayoutWriter, _ images: [SuppliedImage], without omitted: Set<Digest> = []) {
        (self.layout, self.images) = (layout, images)
        var seen = omitted
        missing = images.flatMap(\.blobs).filter { seen.insert($0.digest).inserted && !layout.has($0) }
    }

    package var bytes: Int64 { missing.reduce(0) { $0 + $1.size } }

    package func fill(report: @escaping ByteReport) async throws {
        let tally = Tally(bytes, report)
        var open = Set(missing.map(\.digest))
        var passes: [FilePath: Pass] = [:]
        var singles: [(blob: Blob, image: SuppliedImage)] = []
        for image in images {
            for blob in image.blobs where open.remove(blob.digest) != nil {
                if let text = image.documents[blob.digest] {
                    try layout.put(text)
                    tally.add(blob.size)
                } else if case .pass(let source) = image.bytes {
                    passes[source.path, default: Pass(source: source)].blobs.append(blob)
                } else {
                    singles.append((blob, image))
                }
            }
        }
        for pass in passes.values.sorted(by: { $0.source.path.string < $1.source.path.string }) {
            try await read(pass, tally)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, single) in singles.enumerated() {
                if index >= Self.lanes { try await group.next() }
                group.addTask { try await fetch(single.blob, of: single.image, tally) }
            }
            try await group.waitForAll()
        }
    }

    /// What is wanted of one archive.
    private struct Pass: Sendable {
        var source: any BlobSource
        var blobs: [Blob] = []
    }

    private func fetch(_ blob: Blob, of image: SuppliedImage, _ tally: Tally) async throws {
        guard case .each(let each) = image.bytes else { return }
        let file = try layout.open(blob)
        let isBegun = file.offset > 0
        func finish() async throws {
            tally.add(file.offset)
            if file.offset < blob.size {
                try await each(WantedBlob(blob, from: file.offset)) { bytes in
                    try file.append(bytes)
                    tally.add(Int64(bytes.count))
                }
            }
            try file.finish()
        }
        do {
            try await finish()
        } catch is BundleFault where isBegun && file.offset == 0 {
            // What an earlier run left may have been spoiled by a power cut: once more, from the beginning.
            tally.add(-blob.size)
            try await finish()
        }
    }

    /// On a thread of its own: disks and inflating block.
    private func read(_ pass: Pass, _ tally: Tally) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "archive").async { done.resume(with: Result { try readBlocking(pass, tally) }) }
        }
    }

    private func readBlocking(_ pass: Pass, _ tally: Tally) throws {
        var files: [Digest: BlobFile] = [:]
        for blob in pass.blobs {
            let file = try layout.open(blob)
            // What an earlier run wrote whole lacks only its name; if it is spoiled it begins anew.
            if file.offset == blob.size, (try? file.finish()) != nil {
                tally.add(blob.size)
                continue
            }
            tally.add(file.offset)
            files[blob.digest] = file
        }
        var fault: BundleFault?
        do throws(ImageError) {
            let wanted = files.values.map { WantedBlob($0.blob, from: $0.offset) }
            try pass.source.read(wanted) { piece throws(ImageError) in
                do throws(BundleFault) {
                    try files[piece.blob.digest]?.append(piece.bytes)
                    if piece.isLast { try files[piece.blob.digest]?.finish() }
                } catch {
                    fault = error
                    throw ImageError("store", piece.blob.digest.description, error.description)
                }
                tally.add(Int64(piece.bytes.count))
            }
        } catch {
            guard let fault else { throw error }
            throw BundleFault("\(pass.source.path): \(fault)", blame: fault.blame)
        }
    }
}
