import Glibc
package import SystemPackage

extension SSHTransport {
    /// A socket on this machine whose connections lead to that Unix socket of the other, as root if there is sudo.
    /// Only we may open it. It goes with the connection.
    package func forward(_ socket: FilePath) async throws(TransportError) -> FilePath {
        let attempt = "reach its \(socket)"
        do throws(ChannelError) {
            retire(try await relayChannel(to: socket))
        } catch {
            throw TransportError(name, attempt, error.reason)
        }
        do throws(Errno) {
            let (path, listener) = try listen()
            forwards[path] = listener
            Task { await serve(path, listener, to: socket) }
            return path
        } catch {
            throw TransportError(name, attempt, "no socket for it here: \(error)")
        }
    }

    func endForward(_ path: FilePath) {
        guard let listener = forwards.removeValue(forKey: path) else { return }
        path.withPlatformString { _ = unlink($0) }
        path.removingLastComponent().withPlatformString { _ = rmdir($0) }
        loop.wake(listener)
    }

    /// Whether that machine can open a TCP connection there; throws why not.
    package func dial(
        _ address: String, _ port: UInt16, within limit: Duration = .seconds(5)
    ) async throws(TransportError) {
        try await command(
            "connect from there to \(address):\(port)", ["dial", address, "\(port)", "\(limit.components.seconds)"])
    }

    /// One end of a stream to a TCP port, as that machine reaches it.
    func passage(to address: String, _ port: UInt16) async throws(ChannelError) -> Int32 {
        let id = try await open("direct-tcpip", text(address) + number(UInt32(port)) + text("127.0.0.1") + number(0))
        channels[id]?.isRaw = true
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            retire(id)
            throw ChannelError("\(Errno(rawValue: errno))")
        }
        let (near, far) = (ends[0], ends[1])
        Task { await relay(id, far) }
        return near
    }

    private func text(_ text: String) -> [UInt8] { number(UInt32(text.utf8.count)) + Array(text.utf8) }

    private func number(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }

    private func listen() throws(Errno) -> (FilePath, Int32) {
        var name = Array("/tmp/jhub-ssh-XXXXXX\0".utf8CString.dropLast())
        guard mkdtemp(&name) != nil else { throw Errno(rawValue: errno) }
        let path = FilePath(platformString: name).appending("socket")
        do throws(Errno) {
            return (path, try SocketAddress.unix(path).listening())
        } catch {
            path.removingLastComponent().withPlatformString { _ = rmdir($0) }
            throw error
        }
    }

    private func serve(_ path: FilePath, _ listener: Int32, to socket: FilePath) async {
        defer { Glibc.close(listener) }
        while true {
            await loop.readiness(of: listener, for: POLLIN)
            guard forwards[path] == listener else { return }
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            _ = fcntl(connection, F_SETFL, O_NONBLOCK)
            Task {
                do throws(ChannelError) {
                    await relay(try await relayChannel(to: socket), connection)
                } catch {
                    // Whoever connected sees the end of the stream; it was reachable when this began.
                    Glibc.close(connection)
                }
            }
        }
    }

    /// A channel whose streams are those of a socket there.
    private func relayChannel(to socket: FilePath) async throws(ChannelError) -> Int {
        // sshd connects as the user who logged in, and only where the site lets it.
        if case .none = target.sudo,
            let id = try? await open("direct-streamlocal@openssh.com", text(socket.string) + text("") + number(0))
        {
            channels[id]?.isRaw = true
            return id
        }
        let id = try await start(["relay", socket.string])
        do throws(ChannelError) {
            let deadline = ContinuousClock.now + target.limits.login
            while true {
                let channel = try channel(id)
                let moved = try drain(channel)
                if let end = channel.output.end {
                    guard end == "S0" else { throw ChannelError("\(Errno(rawValue: Int32(end.dropFirst()) ?? EIO))") }
                    channel.isRaw = true
                    return id
                }
                if channel.isClosed || deadline <= .now {
                    throw ChannelError("no relay began: \(channel.errors.lastWords)")
                }
                if !moved { await turn(until: deadline) }
            }
        } catch {
            retire(id)
            throw error
        }
    }
}
