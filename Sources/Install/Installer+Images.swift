import Images
import Synchronization

extension Installer {
    /// Loads images that are planned one after the other side by side: each is
    /// recorded before, and again as soon as it is there.
    func load(_ loads: [(change: Change, load: ImageLoad)], of stage: any Stage, on site: Site) async throws {
        var begun: [ImageLoad: Begun] = [:]
        for (change, load) in loads {
            report(.changing(stage.name, change))
            begun[load] = Begun(change: change, entry: try await record.begin(change, stage: stage.name, on: site))
        }
        let left = Mutex(begun)
        let last = Mutex(ContinuousClock.now)
        let listener = LoadListener(
            moved: { bytes, total in report(.moved(stage.name, bytes: bytes, of: total)) },
            loaded: { load in
                guard let done = left.withLock({ $0.removeValue(forKey: load) }) else { return }
                try record.end(done.entry, "done")
                // Since the one before it, so that the times add up.
                let took = last.withLock { last in
                    defer { last = .now }
                    return last.duration(to: .now)
                }
                report(.changed(stage.name, done.change, took: took))
            },
            isInterrupted: isInterrupted)
        do {
            report(.loaded(stage.name, try await site.images.load(loads.map(\.load), listener)))
        } catch {
            for begun in left.withLock(\.values) { try record.end(begun.entry, "failed: \(error)") }
            throw isInterrupted() ? InstallError.interrupted : error
        }
    }

    struct Begun: Sendable {
        var change: Change
        var entry: Record.Entry
    }
}

extension [Change] {
    /// Images that follow each other go together; everything else goes one by one.
    var steps: [[Change]] {
        reduce(into: []) { steps, change in
            if change.isLoad, steps.last?.last?.isLoad == true {
                steps[steps.count - 1].append(change)
            } else {
                steps.append([change])
            }
        }
    }
}

extension Change {
    fileprivate var isLoad: Bool { if case .load = action { true } else { false } }
}
