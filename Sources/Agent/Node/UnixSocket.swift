import Glibc
import SystemPackage

/// The two things that we ask of Unix sockets: does anybody listen, and here is a message.
enum UnixSocket {
    /// Nil where there is no such socket.
    static func isListening(at path: FilePath) -> Bool? {
        switch connected(to: path.string, SOCK_STREAM) {
        case .success(let socket):
            close(socket)
            return true
        case .failure(.noSuchFileOrDirectory): return nil
        // Nobody takes what knocks: with a full queue a socket that does not wait says so at once.
        case .failure: return false
        }
    }

    /// One datagram; a name that begins with "@" is an abstract one, as systemd has it.
    @discardableResult
    static func send(_ message: String, to name: String) -> Bool {
        guard case .success(let socket) = connected(to: name, SOCK_DGRAM) else { return false }
        defer { close(socket) }
        return Glibc.send(socket, message, message.utf8.count, Int32(MSG_NOSIGNAL)) == message.utf8.count
    }

    private static func connected(to name: String, _ kind: __socket_type) -> Result<CInt, Errno> {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return .failure(.fileNameTooLong) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // An abstract name ends where the address does; the other with a zero.
        let length = MemoryLayout<sa_family_t>.size + bytes.count + (bytes.first == 0 ? 0 : 1)
        let socket = Glibc.socket(AF_UNIX, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard socket >= 0 else { return .failure(Errno(rawValue: errno)) }
        let result = withUnsafeBytes(of: &address) { raw in
            connect(socket, raw.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(length))
        }
        guard result == 0 else {
            let error = Errno(rawValue: errno)
            close(socket)
            return .failure(error)
        }
        return .success(socket)
    }
}
