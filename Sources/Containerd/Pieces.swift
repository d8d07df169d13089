import Synchronization

/// The messages of one write, in order.
final class Pieces: Sendable {
    enum Action: Int64 {
        case stat = 0
        case write = 1
        case commit = 2
    }

    private let ingest: Containerd.Ingest
    private let offset: Mutex<Int64>
    private let isCommitted = Mutex(false)

    init(of ingest: Containerd.Ingest) {
        self.ingest = ingest
        offset = Mutex(ingest.offset)
    }

    func next(_ piece: () throws(ContainerdError) -> [UInt8]?) throws(ContainerdError) -> WireMessage? {
        if isCommitted.withLock(\.self) { return nil }
        let bytes = try piece()
        if bytes == nil { isCommitted.withLock { $0 = true } }
        var message = message(bytes == nil ? .commit : .write)
        message.set(6, bytes ?? [])
        offset.withLock { $0 += Int64(bytes?.count ?? 0) }
        return message
    }

    func message(_ action: Action) -> WireMessage {
        var message = WireMessage()
        message.set(1, action.rawValue)
        message.set(2, ingest.name)
        if action != .write {
            message.set(3, ingest.content.size)
            message.set(4, ingest.content.digest)
        }
        message.set(5, offset.withLock(\.self))
        if action == .commit { message.set(7, ingest.content.labels) }
        return message
    }
}
