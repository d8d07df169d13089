import Dispatch
import Glibc
import Synchronization
import SystemPackage

/// Stands between the program and containerd's socket, counts the bytes that go there, and after so many does something:
/// as a rule it cuts everything at once, as a kill of the program does.
final class Gateway: Sendable {
    let path: FilePath
    private let listener: Int32
    private let target: FilePath
    private let limit: Int
    /// Nil: it cuts.
    private let act: (@Sendable () -> Void)?
    private let state = Mutex(State())

    struct State {
        var sent = 0
        var open: [Int32] = []
        var isCut = false
        var hasActed = false
    }

    /// How many bytes went to containerd.
    var sent: Int { state.withLock(\.sent) }

    convenience init(at path: FilePath, to target: FilePath, cutAfter limit: Int = .max) throws {
        try self.init(at: path, to: target, after: limit, nil)
    }

    /// Nothing is cut: `act` is called once.
    convenience init(
        at path: FilePath, to target: FilePath, after limit: Int, _ act: @escaping @Sendable () -> Void
    ) throws {
        try self.init(at: path, to: target, after: limit, Optional(act))
    }

    private init(at path: FilePath, to target: FilePath, after limit: Int, _ act: (@Sendable () -> Void)?) throws {
        (self.path, self.target, self.limit, self.act) = (path, target, limit, act)
        unlink(path.string)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.address(path, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw Errno(rawValue: errno)
        }
        DispatchQueue(label: "gateway").async { [self] in accept() }
    }

    func close() {
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private func accept() {
        while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
            let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            guard Self.address(target, { connect(server, $0, $1) }) == 0 else { continue }
            let isCut = state.withLock { state in
                state.open += [client, server]
                return state.isCut
            }
            if isCut { cut() }
            DispatchQueue(label: "to containerd").async { [self] in copy(client, server, counting: true) }
            DispatchQueue(label: "from containerd").async { [self] in copy(server, client, counting: false) }
        }
    }

    private func copy(_ source: Int32, _ sink: Int32, counting: Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 15)
        while case let count = read(source, &buffer, buffer.count), count > 0 {
            var done = 0
            while done < count {
                let wrote = buffer.withUnsafeBytes { bytes in
                    send(sink, bytes.baseAddress.map { $0 + done }, count - done, Int32(MSG_NOSIGNAL))
                }
                guard wrote > 0 else { break }
                done += wrote
            }
            if counting, add(count) > limit { pass() }
        }
        shutdown(sink, Int32(SHUT_RDWR))
    }

    private func pass() {
        guard let act else { return cut() }
        let isFirst = state.withLock { state in
            defer { state.hasActed = true }
            return !state.hasActed
        }
        if isFirst { act() }
    }

    private func add(_ count: Int) -> Int {
        state.withLock { state in
            state.sent += count
            return state.sent
        }
    }

    /// Descriptors stay open until the end of the test's process, so that none is cut that is somebody else's by then.
    private func cut() {
        state.withLock { state in
            state.isCut = true
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private static func address(_ path: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.string.utf8)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
