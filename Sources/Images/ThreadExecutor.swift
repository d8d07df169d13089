import Dispatch

/// Runs an actor on a queue of its own, so that a blocking C call never holds
/// one of the few threads that all other tasks share.
final class ThreadExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "archive")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
