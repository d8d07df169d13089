/// Lets one through at a time, in the order of their coming.
actor Turnstile {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    private func enter() async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }

    nonisolated func pass<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        await enter()
        do {
            let value = try await work()
            await leave()
            return value
        } catch {
            await leave()
            throw error
        }
    }
}

/// Works on all of them, at most so many at a time; the answers come in the order of the questions.
func sideBySide<Element: Sendable, Value: Sendable>(
    _ elements: [Element], atMost most: Int, _ work: @escaping @Sendable (Element) async -> Value
) async -> [Value] {
    await withTaskGroup(of: (Int, Value).self) { group in
        var values: [Int: Value] = [:]
        for (index, element) in elements.enumerated() {
            if index >= most, let (done, value) = await group.next() { values[done] = value }
            group.addTask { (index, await work(element)) }
        }
        for await (done, value) in group { values[done] = value }
        return elements.indices.compactMap { values[$0] }
    }
}
