import CSSH2
import Glibc

extension SSHTransport {
    func channel(_ id: Int) throws(ChannelError) -> Channel {
        guard let channel = channels[id] else { throw ChannelError(loss ?? "the channel was closed") }
        return channel
    }

    /// Sends all of it, and waits while the host takes no more.
    func send(_ bytes: [UInt8], on id: Int) async throws(ChannelError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let channel = try channel(id)
            if channel.isClosed { throw ChannelError("it ended before it had read its input") }
            if Task.isCancelled { throw ChannelError("it was cancelled") }
            let count =
                !wire.hasRoom
                ? 0
                : step {
                    rest.withUnsafeBytes { bytes in
                        libssh2_channel_write_ex(
                            channel.raw, 0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
                    }
                }
            if count == 0 || count == Int(LIBSSH2_ERROR_EAGAIN) {
                // Who takes no more may have said why.
                if !channel.isRaw, try drain(channel) { continue }
                await loop.readinessOrCancellation(of: wire.descriptor, for: POLLIN)
            } else if count < 0 {
                throw ChannelError(complaint)
            } else {
                rest = rest.dropFirst(count)
                // The next one's turn.
                await Task.yield()
            }
        }
    }

    func endInput(of id: Int) async throws(ChannelError) {
        let raw = try channel(id).raw
        guard await patiently({ libssh2_channel_send_eof(raw) }) == 0 else { throw ChannelError(complaint) }
    }

    /// What has come on a stream: empty where nothing has, nil at its end.
    func pull(_ stream: Int32, of channel: Channel) throws(ChannelError) -> [UInt8]? {
        var count = 0
        let piece = [UInt8](unsafeUninitializedCapacity: 1 << 17) { buffer, used in
            count = step {
                buffer.withMemoryRebound(to: CChar.self) {
                    libssh2_channel_read_ex(channel.raw, stream, $0.baseAddress, $0.count)
                }
            }
            used = max(0, count)
        }
        // Where the other stream still has something, the end is not reached.
        if count == 0 { return libssh2_channel_eof(channel.raw) == 0 ? [] : nil }
        guard count > 0 || count == Int(LIBSSH2_ERROR_EAGAIN) else { throw ChannelError(complaint) }
        return piece
    }

    /// Gives a channel back whose far end has answered, and has read all that it was sent.
    func park(_ id: Int) {
        guard let channel = channels[id], channel.hasEnded, channel.output.surplus.isEmpty,
            channel.errors.surplus.isEmpty
        else { return retire(id) }
        idle.append(id)
        channel.hasPlace = false
        sessions.leave()
    }

    /// Closes a channel; that it is gone there too nobody has to wait for.
    func retire(_ id: Int) {
        guard let channel = channels.removeValue(forKey: id) else { return }
        channel.isClosed = true
        loop.wake(wire.descriptor)
        Task {
            _ = await patiently(until: .now + .seconds(10)) { libssh2_channel_free(channel.raw) }
            guard channel.isSession else { return }
            openSessions -= 1
            if channel.hasPlace { sessions.leave() }
            loop.wake(wire.descriptor)
        }
    }
}
