import Synchronization

/// The call of NVML that is being waited for. The caller's thread may hang in it for ever, so
/// others look here for what it does.
final class CallWatch: Sendable {
    private let pending = Mutex<PendingCall?>(nil)

    /// Nil between calls.
    var current: PendingCall? { pending.withLock { $0 } }

    func watching<Value>(_ call: String, _ bus: PCIAddress?, _ body: () -> Value) -> Value {
        let started = PendingCall(call: call, bus: bus, since: .now)
        pending.withLock { $0 = started }
        defer { pending.withLock { $0 = nil } }
        return body()
    }
}
