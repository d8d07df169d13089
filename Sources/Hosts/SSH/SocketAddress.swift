import Dispatch
import Glibc
import SystemPackage

/// Where a socket can connect to.
struct SocketAddress: Sendable {
    private let bytes: [UInt8]
    private let family: Int32

    /// The TCP addresses of a name, in the system's order.
    static func all(of name: String, _ port: UInt16) async throws(ChannelError) -> [SocketAddress] {
        // It may ask a name server, and wait.
        let found: Result<[SocketAddress], ChannelError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: lookUp(name, port)) }
        }
        return try found.get()
    }

    private static func lookUp(_ name: String, _ port: UInt16) -> Result<[SocketAddress], ChannelError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, String(port), &hints, &list)
        guard code == 0 else { return .failure(ChannelError(String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        let entries = sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }
        return .success(
            entries.compactMap { $0?.pointee }.map { entry in
                let bytes = UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
                return SocketAddress(bytes: Array(bytes), family: entry.ai_family)
            })
    }

    static func unix(_ path: FilePath) throws(Errno) -> SocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.string.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .fileNameTooLong }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        return SocketAddress(bytes: withUnsafeBytes(of: address, Array.init), family: AF_UNIX)
    }

    /// A descriptor that takes connections, from us alone.
    func listening() throws(Errno) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = try system { socket(family, kind, 0) }
        do throws(Errno) {
            // What bind makes has the descriptor's mode.
            try system { fchmod(descriptor, 0o600) }
            try system { withAddress { bind(descriptor, $0, $1) } }
            try system { listen(descriptor, 16) }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> Int32) -> Int32 {
        bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) }
    }

    /// A descriptor that never blocks, connected.
    func connected(_ loop: EventLoop, until deadline: ContinuousClock.Instant) async throws(Errno) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = try system { socket(family, kind, 0) }
        do throws(Errno) {
            do throws(Errno) {
                try system { withAddress { connect(descriptor, $0, $1) } }
            } catch .nowInProgress {
                await loop.readiness(of: descriptor, for: POLLOUT, until: deadline)
                if deadline <= .now { throw .timedOut }
                var (code, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
                try system { getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) }
                if code != 0 { throw Errno(rawValue: code) }
            }
            var yes: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }
}
