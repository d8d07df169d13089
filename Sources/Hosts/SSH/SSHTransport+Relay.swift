import Glibc

/// A channel's bytes to a socket of this machine, and back.
extension SSHTransport {
    /// Both ways, until either end has closed. It closes the descriptor and the channel.
    func relay(_ id: Int, _ descriptor: Int32) async {
        async let up: Void = upload(id, descriptor)
        await download(id, descriptor)
        await up
        Glibc.close(descriptor)
        retire(id)
    }

    private func upload(_ id: Int, _ descriptor: Int32) async {
        while let piece = await receive(descriptor) {
            guard (try? await send(piece, on: id)) != nil else { break }
        }
        try? await endInput(of: id)
        loop.wake(wire.descriptor)
    }

    private func download(_ id: Int, _ descriptor: Int32) async {
        if let first = channels[id]?.output.surplus, await send(first, to: descriptor) {
            while let channel = channels[id], let piece = try? pull(0, of: channel) {
                if piece.isEmpty {
                    await turn()
                } else {
                    guard await send(piece, to: descriptor) else { break }
                    await Task.yield()
                }
            }
        }
        // The upload ends with it.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// What has come from this side, or nil at its end.
    private func receive(_ descriptor: Int32) async -> [UInt8]? {
        while true {
            var (count, code) = (0, Int32(0))
            let piece = [UInt8](unsafeUninitializedCapacity: 1 << 17) { buffer, used in
                count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                code = errno
                used = max(0, count)
            }
            if count > 0 { return piece }
            guard count < 0, code == EAGAIN || code == EINTR else { return nil }
            await loop.readiness(of: descriptor, for: POLLIN)
        }
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32) async -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN || errno == EINTR {
                await loop.readiness(of: descriptor, for: POLLOUT)
            } else {
                return false
            }
        }
        return true
    }
}
