/// What is done, in order.
package enum Sequences {
    package static let install: [any Stage] = [
        PrepareHost(),
        PlaceCluster(),
        LoadImages(),
        ConnectNetwork(),
        ServeNames(),
        KeepStorage(),
        InstallHub(),
        OpenAccess(),
        InstallAgent(),
    ]

    /// What makes a bare machine a worker.
    package static let worker = WorkerSequence(
        before: [PrepareHost(), PlaceCluster(), LoadImages(), KeepFolders()], join: [JoinCluster()],
        after: [SettleNode(), InstallAgent()])
}

/// Many machines are worked on side by side before and after the join; they join one at a time.
package struct WorkerSequence: Sendable {
    package var before: [any Stage]
    package var join: [any Stage]
    package var after: [any Stage]

    package init(before: [any Stage], join: [any Stage], after: [any Stage]) {
        (self.before, self.join, self.after) = (before, join, after)
    }

    package var stages: [any Stage] { before + join + after }
}
