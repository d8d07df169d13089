/// What a content store says that it has.
package struct Holdings: Hashable, Sendable {
    package struct Record: Hashable, Sendable {
        package var digest: Digest
        package var labels: [String: String] = [:]
        /// All its content is there.
        package var isComplete = false
        package var isUnpacked = false
    }

    /// By name, as the store spells it.
    package var records: [String: Record] = [:]
    package var content: Set<Digest> = []

    package init() {}
}
