import Dispatch
import Synchronization

import class FoundationEssentials.ProcessInfo

/// Told from any thread as bytes are worked through: how many by now, of how many in all.
package typealias ByteReport = @Sendable (_ done: Int64, _ total: Int64) -> Void

/// Counts for a report.
final class Tally: Sendable {
    private let done: Atomic<Int64>
    private let total: Int64
    private let report: ByteReport

    init(_ total: Int64, done: Int64 = 0, _ report: @escaping ByteReport) {
        (self.total, self.report) = (total, report)
        self.done = Atomic(done)
        report(done, total)
    }

    func add(_ bytes: Int64) { report(done.add(bytes, ordering: .relaxed).newValue, total) }
}

enum Parallel {
    /// Those that this process may use.
    static let cores = ProcessInfo.processInfo.activeProcessorCount

    /// Calls the body once for each index, from the first on, on as many threads as there are cores. The first error
    /// ends it. It blocks.
    static func forEach(_ count: Int, _ body: @Sendable (Int) throws(BundleFault) -> Void) throws(BundleFault) {
        let next = Atomic(0)
        let failure = Mutex<BundleFault?>(nil)
        DispatchQueue.concurrentPerform(iterations: min(count, cores)) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                do throws(BundleFault) {
                    try body(index)
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                    next.store(count, ordering: .relaxed)
                    return
                }
            }
        }
        if let fault = failure.withLock({ $0 }) { throw fault }
    }
}
