import Dispatch
import Glibc
import Synchronization

/// A small HTTP server on loopback, which answers as a test says and keeps what it was asked.
///
/// It listens until the process ends: a test's last mention of it may come before its last request.
package final class StubServer: Sendable {
    package typealias Handler = @Sendable (StubRequest) -> StubResponse

    private let log = Log()
    package let port: UInt16

    package init(_ handler: @escaping Handler) throws {
        let (listener, port) = try Self.listen()
        self.port = port
        let log = log
        try startThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { continue }
                DispatchQueue(label: "stub connection").async {
                    StubConnection(raw: connection).serve(handler, log)
                }
            }
        }
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [StubRequest] { log.state.withLock { $0.requests } }
    /// How many clients went away before their answer was over.
    package var hangups: Int { log.state.withLock { $0.hangups } }

    /// A port on which nobody listened a moment ago.
    package static func freePort() throws -> UInt16 {
        let (listener, port) = try listen()
        close(listener)
        return port
    }

    private static func listen() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) != 0 || Glibc.listen(listener, 16) != 0
                    || getsockname(listener, $0, &size) != 0
            }
        }
        if failed { throw StubError(errno: errno) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    final class Log: Sendable {
        struct State: Sendable {
            var requests: [StubRequest] = []
            var hangups = 0
        }
        let state = Mutex(State())
    }
}

/// A thread of its own: those of Dispatch are counted, and a server holds one for ever.
private func startThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { box in
            if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    if code != 0 { throw StubError(errno: code) }
    pthread_detach(thread)
}

package struct StubError: Error { var errno: Int32 }

package struct StubRequest: Hashable, Sendable {
    package var method: String
    /// With the query, as it came.
    package var target: String
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    package var path: String { String(target.prefix { $0 != "?" }) }
    package var query: Set<String> {
        Set(target.split(separator: "?").dropFirst().joined().split(separator: "&").map(String.init))
    }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

package struct StubResponse: Sendable {
    package var status: Int
    package var headers: [String: String]
    /// Sent one after the other, with the pause between them.
    package var pieces: [String]
    package var pause: Duration
    /// How long the connection stays open after the last piece, with the body unfinished.
    package var hang: Duration
    /// The connection ends before the body does.
    package var isCut = false

    package init(
        _ status: Int = 200, _ body: String = "", headers: [String: String] = [:], pieces: [String]? = nil,
        pause: Duration = .zero, hang: Duration = .zero, isCut: Bool = false
    ) {
        (self.status, self.headers, self.pieces) = (status, headers, pieces ?? [body])
        (self.pause, self.hang, self.isCut) = (pause, hang, isCut)
    }
}
