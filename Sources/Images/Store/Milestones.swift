/// What has been reached, for those who wait for it.
actor Milestones {
    enum Milestone: Hashable {
        case blob(Digest)
        /// Unpacked, down to the lowest layer.
        case chain(Digest)
    }

    /// What was waited for will not come in this run.
    struct Dropped: Error {}

    private var reached: Set<Milestone>
    private var dropped: Set<Milestone> = []
    private var waiting: [Milestone: [CheckedContinuation<Void, any Error>]] = [:]
    private var failure: (any Error)?

    init(reached: Set<Milestone>) { self.reached = reached }

    func reach(_ milestone: Milestone) {
        reached.insert(milestone)
        for one in waiting.removeValue(forKey: milestone) ?? [] { one.resume() }
    }

    func wait(for milestone: Milestone) async throws {
        if reached.contains(milestone) { return }
        if dropped.contains(milestone) { throw Dropped() }
        if let failure { throw failure }
        try await withCheckedThrowingContinuation { waiting[milestone, default: []].append($0) }
    }

    var isAnyDropped: Bool { !dropped.isEmpty }

    /// It will not be reached, and who waits for it is to let it be.
    func drop(_ milestone: Milestone) {
        dropped.insert(milestone)
        for one in waiting.removeValue(forKey: milestone) ?? [] { one.resume(throwing: Dropped()) }
    }

    /// Nothing more will be reached: whoever waits gets this.
    func fail(_ error: any Error) {
        failure = failure ?? error
        for one in waiting.values.joined() { one.resume(throwing: error) }
        waiting = [:]
    }
}

/// Lets so many through at a time.
actor Gate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ width: Int) { free = width }

    func through<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
        defer { if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() } }
        return try await body()
    }
}
