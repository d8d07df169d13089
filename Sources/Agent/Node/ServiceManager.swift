import Glibc

/// systemd, as it wants to be told (sd_notify(3)): one datagram to the socket that it names.
package struct ServiceManager: Sendable {
    private let socket: String?

    /// Nothing is told where nothing is to be told to: a program that somebody started by hand.
    package init() { self.init(socket: getenv("NOTIFY_SOCKET").map { String(cString: $0) }) }
    init(socket: String?) { self.socket = socket }

    package func ready() { tell("READY=1") }
    /// To be said more often than every `WatchdogSec`, or systemd ends the program and starts it anew.
    package func alive(_ status: String) { tell("WATCHDOG=1\nSTATUS=\(status)") }
    package func stopping() { tell("STOPPING=1") }

    private func tell(_ message: String) { if let socket { UnixSocket.send(message, to: socket) } }
}
