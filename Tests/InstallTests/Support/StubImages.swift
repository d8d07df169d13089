import Synchronization

@testable import Images

/// A store that says what a test wants, and has what is loaded.
final class StubImages: ImageStore {
    private let held: Mutex<Holdings>
    /// The images of each call, by their first name.
    let calls = Mutex<[[String]]>([])
    private let inUse = Mutex<Set<String>>([])
    /// Ends a load after so many images.
    private let most: Int

    init(_ holdings: Holdings = Holdings(), failsAfter most: Int = .max) {
        held = Mutex(holdings)
        self.most = most
    }

    func hold(_ holdings: Holdings) { held.withLock { $0 = holdings } }
    /// Containers are made of these from now on.
    func use(_ names: Set<String>) { inUse.withLock { $0 = names } }

    func holdings() async throws -> Holdings { held.withLock(\.self) }

    func load(_ loads: [ImageLoad], _ listener: LoadListener) async throws -> Effort {
        calls.withLock { $0.append(loads.map { $0.references[0].description }) }
        for (number, load) in loads.enumerated() {
            guard number < most else { throw ImageError("store", "an image", "the disk is full") }
            held.withLock { $0 = $0.adding(load) }
            listener.moved(load.bytes, load.bytes)
            try listener.loaded(load)
        }
        return Effort()
    }

    func damages(in blobs: [Blob]) async throws -> [String] { [] }
    func used() async throws -> Set<String> { inUse.withLock(\.self) }
    func remove(_ names: [String]) async throws { held.withLock { for name in names { $0.records[name] = nil } } }
}
