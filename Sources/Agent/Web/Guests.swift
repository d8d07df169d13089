import NIOCore
import Synchronization

/// How many connections there are, so that a flood of them costs no memory.
final class Guests: Sendable {
    private let most: Int
    private let present = Mutex(0)

    init(most: Int) { self.most = most }

    /// Throws where there is no room; the connection is then closed.
    func admit(_ channel: any Channel) throws(WebError) {
        let isIn = present.withLock { present in
            guard present < most else { return false }
            present += 1
            return true
        }
        guard isIn else { throw WebError("there are \(most) connections already") }
        channel.closeFuture.whenComplete { _ in self.present.withLock { $0 -= 1 } }
    }
}
