import CNghttp2
import Glibc
import SystemPackage

/// One gRPC call: one HTTP/2 stream, the only one of its connection. It stays on the thread that performs it.
///
/// Messages go out with at most two of them unanswered: the server works on
/// one while the next is on its way, and where it refuses one little was sent in vain.
final class Call {
    private let request: Request
    private var answers: [WireMessage] = []

    /// The message that is on its way, in gRPC's frame, and how much of it has gone.
    private var outgoing: [UInt8] = []
    private var gone = 0
    private var sent = 0
    private var came = 0
    private var isDeferred = false

    private var incoming: [UInt8] = []
    private var headers: [String: String] = [:]
    private var isClosed = false
    private var failure: ContainerdError?

    init(_ request: Request) { self.request = request }

    func perform(on channel: Channel, within limit: Duration, _ lifeline: Lifeline) throws(ContainerdError)
        -> [WireMessage]
    {
        do {
            let socket = try Socket.connected(to: channel.socket, within: limit)
            lifeline.hold(socket.descriptor)
            defer { lifeline.release() }
            try exchange(over: socket, channel.headers)
        } catch let error as ContainerdError {
            throw error
        } catch Errno.resourceTemporarilyUnavailable {
            throw error("it did not answer for \(limit.components.seconds) s")
        } catch {
            // A server that has said how the call ended may close at once.
            if lifeline.isCut { throw self.error("cancelled") }
            if headers["grpc-status"] == nil { throw self.error("\(channel.socket): \(error)") }
        }
        if let failure { throw failure }
        guard let status = headers["grpc-status"].flatMap({ Int($0) }) else {
            throw error("the server at \(channel.socket) ended the call and did not say how it went")
        }
        guard status == 0 else {
            var error = error(headers["grpc-message"].map(Self.unescaped) ?? "status \(status)")
            error.code = ContainerdError.Code(rawValue: status)
            throw error
        }
        return answers
    }

    private func exchange(over socket: borrowing Socket, _ more: [String: String]) throws {
        let session = SessionHandle(for: self)
        try check(nghttp2_submit_settings(session.raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil, 0))
        try check(session.request("/" + request.method, more))
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 16) { buffer in
            while true {
                var bytes: UnsafePointer<UInt8>?
                while case let count = nghttp2_session_mem_send(session.raw, &bytes), count != 0 {
                    try check(Int32(clamping: count))
                    try socket.send(UnsafeBufferPointer(start: bytes, count: count))
                }
                if isClosed || failure != nil { return }
                let count = try socket.receive(into: buffer)
                if count == 0 { throw error("the server closed the connection") }
                try check(Int32(clamping: nghttp2_session_mem_recv(session.raw, buffer.baseAddress, count)))
                if isDeferred, hasLeave, !isClosed {
                    isDeferred = false
                    try check(nghttp2_session_resume_data(session.raw, 1))
                }
            }
        }
    }

    private func check(_ code: Int32) throws(ContainerdError) {
        guard code < 0 else { return }
        throw failure ?? error(String(cString: nghttp2_strerror(code)))
    }

    /// The method's name without its package: "Content/Write".
    private func error(_ reason: String) -> ContainerdError {
        ContainerdError(request.method.split(separator: ".").last.map(String.init) ?? request.method, reason)
    }
}

// What nghttp2 asks and tells.
extension Call {
    /// Whether another message may go: the second only after the first is answered, as it may be refused.
    private var hasLeave: Bool { sent == 0 || came > 0 && sent - came < 2 }

    enum Supply {
        case bytes(Int)
        case end
        case later
        case failure
    }

    func supply(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Supply {
        if gone == outgoing.count {
            if sent > 0, request.more == nil { return .end }
            guard hasLeave else {
                isDeferred = true
                return .later
            }
            do throws(ContainerdError) {
                guard let message = sent == 0 ? request.first : try request.more?() else { return .end }
                outgoing = Self.framed(message)
                (gone, sent) = (0, sent + 1)
            } catch {
                failure = error
                return .failure
            }
        }
        let count = min(buffer.count, outgoing.count - gone)
        _ = buffer.update(fromContentsOf: outgoing[gone..<gone + count])
        gone += count
        return .bytes(count)
    }

    func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        // What was read with the bytes that failed is still handed over.
        guard failure == nil else { return }
        incoming += bytes
        // A byte that says whether it is compressed, which nobody asked for; four with the length.
        while incoming.count >= 5 {
            let length = incoming[1..<5].reduce(0) { $0 << 8 | Int($1) }
            guard incoming[0] == 0, length <= Self.largest else {
                failure = error("it sent a message of \(length) bytes, compressed: \(incoming[0])")
                return
            }
            guard incoming.count >= 5 + length else { return }
            do throws(ContainerdError) {
                try takeMessage(incoming[5..<5 + length])
            } catch {
                failure = error
                return
            }
            incoming.removeFirst(5 + length)
        }
    }

    private func takeMessage(_ bytes: ArraySlice<UInt8>) throws(ContainerdError) {
        let message: WireMessage
        do throws(WireError) {
            message = try WireMessage(parsing: bytes)
        } catch {
            throw self.error("it sent what is no message: \(error)")
        }
        came += 1
        if let answered = request.answered { try answered(message) } else { answers.append(message) }
    }

    func takeHeader(_ name: String, _ value: String) { headers[name] = value }
    func close() { isClosed = true }

    /// In bytes; containerd's own limit for one message.
    private static let largest = 16 << 20

    private static func framed(_ message: WireMessage) -> [UInt8] {
        let bytes = message.encoded
        return [0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) } + bytes
    }

    /// gRPC writes what is not printable ASCII as %XX.
    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
