/// The images of one node.
package protocol ImageStore: Sendable {
    /// Asks the store; nothing is remembered.
    func holdings() async throws -> Holdings

    /// Brings all these images there whole, unpacked, named and pinned, and
    /// returns what took how long. An image is named only once all of it is
    /// there. What arrived stays for the next run, wherever this one ends.
    func load(_ loads: [ImageLoad], _ listener: LoadListener) async throws -> Effort

    /// What is wrong with these blobs, a line each: the store reads every byte back, and it is hashed.
    func damages(in blobs: [Blob]) async throws -> [String]

    /// The names of the images that containers were made of, as the store spells them.
    func used() async throws -> Set<String>

    /// Takes these names away, as the store spells them, and with the last one what nothing refers to any more.
    func remove(_ names: [String]) async throws
}

/// Who wants to know how loading goes. Each is called on any thread.
package struct LoadListener: Sendable {
    /// How many bytes the store has written so far, and of how many.
    package var moved: @Sendable (_ bytes: Int64, _ total: Int64) -> Void
    /// This image is there. What it throws ends the loading.
    package var loaded: @Sendable (ImageLoad) throws -> Void
    /// Asked before each archive: those in hand are finished, the others left to the next run.
    package var isInterrupted: @Sendable () -> Bool

    package init(
        moved: @escaping @Sendable (_ bytes: Int64, _ total: Int64) -> Void = { _, _ in },
        loaded: @escaping @Sendable (ImageLoad) throws -> Void = { _ in },
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        (self.moved, self.loaded, self.isInterrupted) = (moved, loaded, isInterrupted)
    }
}
