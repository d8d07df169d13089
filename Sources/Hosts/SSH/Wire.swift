import CSSH2
import Glibc
import SystemPackage

/// The socket below a session.
///
/// What libssh2 sends is kept here until the socket takes it. So every packet of its is whole at once; with half a
/// packet under way libssh2 refuses to send those of all other channels (`send_existing` in its transport.c).
final class Wire {
    let descriptor: Int32
    /// Counts what came, so that others may look whether it was theirs.
    private(set) var received = 0
    /// What the socket said when it broke.
    private(set) var fault: Errno?
    /// Answers a question of the host's at login; nil is none.
    var answer: (() -> String?)?
    private var unsent: [UInt8] = []
    private var sent = 0

    /// Closes the descriptor in the end.
    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    var hasUnsent: Bool { sent < unsent.count }
    /// Whoever has much to send waits until this is true.
    var hasRoom: Bool { unsent.count - sent < 1 << 20 }

    /// Sends what the socket takes now.
    func flush() {
        while hasUnsent, fault == nil {
            let count = unsent.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                if code == EAGAIN { return }
                cut(Errno(rawValue: code))
            } else {
                sent += count
            }
        }
        unsent.removeAll(keepingCapacity: true)
        sent = 0
    }

    /// From now on everything fails so.
    func cut(_ reason: Errno = .connectionReset) {
        if fault == nil { fault = reason }
        (unsent, sent) = ([], 0)
    }

    /// How many bytes have come, read or not: a sign of life.
    var arrived: Int {
        var waiting: Int32 = 0
        _ = ioctl(descriptor, UInt(FIONREAD), &waiting)
        return received + Int(waiting)
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let fault { return -Int(fault.rawValue) }
        unsent.append(contentsOf: bytes)
        return bytes.count
    }

    private func receive(into buffer: UnsafeMutableRawPointer?, _ size: Int) -> Int {
        while true {
            if let fault { return -Int(fault.rawValue) }
            let count = recv(descriptor, buffer, size, 0)
            if count > 0 {
                received += count
                return count
            }
            let code = count == 0 ? ECONNRESET : errno
            if code == EAGAIN { return -Int(code) }
            if code != EINTR { cut(Errno(rawValue: code)) }
        }
    }

    typealias Abstract = UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    typealias Send = @convention(c) (Int32, UnsafeRawPointer?, Int, Int32, Abstract) -> Int
    typealias Receive = @convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int32, Abstract) -> Int

    /// As libssh2 hands it to its callbacks.
    static func of(_ abstract: Abstract) -> Wire? {
        abstract?.pointee.map { Unmanaged<Wire>.fromOpaque($0).takeUnretainedValue() }
    }

    /// libssh2 uses them for an agent's socket too, which is its own affair.
    static let send: Send = { descriptor, bytes, count, flags, abstract in
        guard let wire = Wire.of(abstract), wire.descriptor == descriptor else {
            return Glibc.send(descriptor, bytes, count, flags)
        }
        return wire.keep(UnsafeRawBufferPointer(start: bytes, count: count))
    }
    static let receive: Receive = { descriptor, buffer, count, flags, abstract in
        guard let wire = Wire.of(abstract), wire.descriptor == descriptor else {
            return recv(descriptor, buffer, count, flags)
        }
        return wire.receive(into: buffer, count)
    }
}
