import Glibc
import Synchronization
import SystemPackage

/// A connection to a Unix socket, closed once.
struct Socket: ~Copyable {
    let descriptor: Int32
    deinit { close(descriptor) }
}

extension Socket {
    /// Nil where there is no socket to be had, with the reason in `errno`.
    static func connected(to path: FilePath, within limit: Duration) throws(Errno) -> Socket {
        let socket = Socket(descriptor: Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        guard socket.descriptor >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.string.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count < room else { throw .fileNameTooLong }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Errno(rawValue: errno) }
        var time = timeval(tv_sec: Int(limit.components.seconds), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard setsockopt(socket.descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size)) == 0
            else { throw Errno(rawValue: errno) }
        }
        return socket
    }

    borrowing func send(_ bytes: UnsafeBufferPointer<UInt8>) throws(Errno) {
        var sent = 0
        while sent < bytes.count {
            // A closed connection is an error here and no signal.
            let count = Glibc.send(
                descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            if count < 0 {
                guard errno == EINTR else { throw Errno(rawValue: errno) }
            } else {
                sent += count
            }
        }
    }

    /// How many bytes came; 0 where the other end has closed.
    borrowing func receive(into buffer: UnsafeMutableBufferPointer<UInt8>) throws(Errno) -> Int {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }
}

/// Ends a connection from another thread, which wakes the one that waits on it.
final class Lifeline: Sendable {
    struct State {
        var descriptor: Int32?
        var isCut = false
    }
    private let state = Mutex(State())

    var isCut: Bool { state.withLock(\.isCut) }

    func hold(_ descriptor: Int32) {
        let isCut = state.withLock { state in
            state.descriptor = descriptor
            return state.isCut
        }
        if isCut { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Before the descriptor is closed, and perhaps given to somebody else.
    func release() { state.withLock { $0.descriptor = nil } }

    func cut() {
        state.withLock { state in
            state.isCut = true
            if let descriptor = state.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}
