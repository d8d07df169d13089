import CSSH2
import Glibc
import SystemPackage

extension SSHTransport {
    /// Logs in, once the host has shown the pinned key, and runs a first command, as root if that is wished.
    /// In errors the machine is called `name`, or else by its address.
    package static func open(
        _ target: SSHTarget, name: String? = nil, largest: Int = 64 << 20
    ) async throws(SSHError) -> SSHTransport {
        let name = name ?? target.address
        var below: SSHTransport?
        do throws(SSHError) {
            for jump in target.jumps {
                let way = "\(jump.address), on the way to \(name)"
                below = try await open(jump, name: way, through: below, largest: largest)
            }
            return try await open(target, name: name, through: below, largest: largest)
        } catch {
            await below?.close()
            throw error
        }
    }

    private static func open(
        _ target: SSHTarget, name: String, through below: SSHTransport?, largest: Int
    ) async throws(SSHError) -> SSHTransport {
        var types = HostKey.types
        while true {
            let transport = try await greet(target, name: name, through: below, largest: largest, hostKeyTypes: types)
            do throws(SSHError) {
                if let type = try await transport.checkHostKey(types) {
                    // The pinned key is of another type than the one that was agreed on.
                    types = [type]
                    await transport.end()
                    continue
                }
                try await transport.logIn()
                try await transport.tryOut()
                await transport.keepAlive()
                return transport
            } catch {
                await transport.end()
                throw error
            }
        }
    }

    /// A connection that has agreed on keys, with nobody logged in.
    static func greet(
        _ target: SSHTarget, name: String, through below: SSHTransport?, largest: Int = 0, hostKeyTypes: [String]
    ) async throws(SSHError) -> SSHTransport {
        let loop: EventLoop
        do throws(Errno) {
            loop = try EventLoop()
        } catch {
            throw SSHError(.unusable, name, "start a thread", "\(error)")
        }
        let descriptor: Int32
        do throws(ChannelError) {
            if let below {
                descriptor = try await below.passage(to: target.address, target.port)
            } else {
                descriptor = try await connect(target.address, target.port, loop, within: target.limits.connect)
            }
        } catch {
            loop.stop()
            throw SSHError(.unreachable, name, "connect to \(target.address):\(target.port)", error.reason)
        }
        let transport = SSHTransport(
            target, name: name, largest: largest, loop: loop, wire: Wire(descriptor: descriptor), through: below,
            hostKeyTypes: hostKeyTypes)
        try await transport.agree()
        return transport
    }

    private func agree() async throws(SSHError) {
        let limit = target.limits.login
        let code = await patiently(until: .now + limit) { libssh2_session_handshake(session.raw, wire.descriptor) }
        if code == 0 { return }
        let said = complaint
        let reason =
            switch code {
            case LIBSSH2_ERROR_EAGAIN, LIBSSH2_ERROR_TIMEOUT:
                "it did not speak SSH within \(limit.components.seconds) s; is this the port of its sshd?"
            case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE:
                "no key exchange, cipher, MAC and host key type in common (\(said)); its sshd must allow aes128-ctr or "
                    + "aes256-ctr, hmac-sha2-256 or hmac-sha2-512, and have an ed25519 or ECDSA host key (ssh-keygen -A)"
            default:
                wire.received > 0
                    ? said : "\(said), before it had said a word: see its sshd's MaxStartups, or a firewall"
            }
        end()
        throw SSHError(.unreachable, name, "speak SSH with \(target.address):\(target.port)", reason)
    }

    /// Nil where the host has shown the pinned key; the type to ask for where it has that key too.
    private func checkHostKey(_ types: [String]) async throws(SSHError) -> String? {
        guard let shown = shownKey else {
            throw SSHError(.unreachable, name, "learn its host key", "it showed none")
        }
        if let pinned = target.hostKey, pinned == shown.fingerprint { return nil }
        let all = types.count == 1 ? [shown] : try await HostKeys.scan(target, name: name, through: below)
        let list = all.map(\.description).joined(separator: ", ")
        guard let pinned = target.hostKey else {
            throw SSHError(
                .hostKeyUnknown(shown: all), name, "trust it",
                "no host key is pinned; it shows \(list); compare that with what its console says "
                    + "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then pin it")
        }
        if let match = all.first(where: { $0.fingerprint == pinned }) { return match.type }
        throw SSHError(
            .hostKeyChanged(pinned: pinned, shown: all), name, "trust it",
            "pinned is \(pinned), but it shows \(list); it was installed anew, or somebody stands in between: compare "
                + "with what its console says (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) before you pin another"
        )
    }

    /// A first command, so that later ones do not fail for what holds for all of them.
    private func tryOut() async throws(SSHError) {
        do throws(TransportError) {
            _ = try await run(["true"])
        } catch {
            switch target.sudo {
            case .none: throw SSHError(.unusable, name, "run a command", error.reason)
            case .withoutPassword:
                throw SSHError(
                    .sudoRefused, name, "become root",
                    "\(error.reason); \(target.user) needs sudo without a password, or give the password")
            case .withPassword: throw SSHError(.sudoRefused, name, "become root as \(target.user)", error.reason)
            }
        }
    }

    private static func connect(
        _ address: String, _ port: UInt16, _ loop: EventLoop, within limit: Duration
    ) async throws(ChannelError) -> Int32 {
        var reason = "it has no address"
        for address in try await SocketAddress.all(of: address, port) {
            do throws(Errno) {
                return try await address.connected(loop, until: .now + limit)
            } catch {
                reason = error == .timedOut ? "no answer within \(limit.components.seconds) s" : "\(error)"
            }
        }
        throw ChannelError(reason)
    }
}
