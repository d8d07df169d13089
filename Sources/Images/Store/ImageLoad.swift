/// What a store still needs to have an image whole under its names.
package struct ImageLoad: Hashable, Sendable {
    package enum Lack: String, Hashable, Sendable, CaseIterable { case content, name, unpacking, pin }

    package var image: ArchivedImage
    /// The names that it gets.
    package var references: [ImageReference]
    /// What has to be sent.
    package var missing: [Blob]
    /// Why there is something to do.
    package var lacks: Set<Lack>

    package var bytes: Int64 { missing.reduce(0) { $0 + $1.size } }
}
