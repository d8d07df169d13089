import Synchronization

/// What libcurl's callbacks have gathered so far. It stays on the thread of its transfer.
final class Answer {
    private(set) var headers: [String: String] = [:]
    private var status = 0
    private(set) var body: [UInt8] = []
    private(set) var overflowed = false
    /// Whether the receiver has had enough.
    private(set) var wasStopped = false
    let cancellation: Cancellation
    private let sink: Transfer.Sink

    init(_ sink: Transfer.Sink, _ cancellation: Cancellation) {
        (self.sink, self.cancellation) = (sink, cancellation)
    }

    /// Answers false to end the transfer.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch sink {
        case .keep(let largest):
            overflowed = body.count + bytes.count > largest
            if !overflowed { body.append(contentsOf: bytes) }
            return !overflowed
        case .handOver(let receive):
            wasStopped =
                cancellation.isRequested || !receive(HTTPResponse(status: status, headers: headers), Array(bytes))
            return !wasStopped
        }
    }

    func takeHeader(_ line: String) {
        // A status line begins an answer: what came with a "100 Continue" is no part of it.
        if line.hasPrefix("HTTP/") {
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return headers.removeAll()
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].trimmed
        headers[name] = headers[name].map { "\($0), \(value)" } ?? value
    }
}

/// Whether the task that waits for a transfer was cancelled, as the transfer's thread asks it.
final class Cancellation: Sendable {
    private let flag = Atomic(false)
    var isRequested: Bool { flag.load(ordering: .relaxed) }
    func request() { flag.store(true, ordering: .relaxed) }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
