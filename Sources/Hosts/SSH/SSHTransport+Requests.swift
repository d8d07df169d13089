import CSSH2
import Glibc
import SystemPackage

extension SSHTransport {
    /// Starts a request, which is then to be collected, and its channel to be parked or retired.
    func start(_ words: [String]) async throws(ChannelError) -> Int {
        await sessions.enter()
        let id = try await farEnd()
        do throws(ChannelError) {
            try await send(FarEnd.request(words), on: id)
            return id
        } catch {
            retire(id)
            throw error
        }
    }

    /// A channel with a far end that waits for a request: one that has had others before, or a new one.
    private func farEnd() async throws(ChannelError) -> Int {
        // A busy host may take seconds to notice that one of ours has ended.
        let limit = Duration.seconds(15)
        var patience = ContinuousClock.now + limit
        while true {
            if let id = takeIdle() { return id }
            if openSessions > 0 { patience = .now + limit }
            let new = FarEnd()
            let id: Int
            do throws(ChannelError) {
                id = try await open("session", mark: new.mark)
            } catch {
                // A MaxSessions below OpenSSH's own: then one of ours has to end first, and sshd to notice.
                guard loss == nil, wire.fault == nil, patience > .now else {
                    sessions.leave()
                    throw error
                }
                await turn(until: .now + .milliseconds(100))
                continue
            }
            openSessions += 1
            do throws(ChannelError) {
                try await begin(new, id)
                return id
            } catch {
                retire(id)
                throw error
            }
        }
    }

    private func takeIdle() -> Int? {
        while let id = idle.popLast() {
            guard let channel = channels[id] else { continue }
            // It may have ended since.
            if (try? drain(channel)) != nil, libssh2_channel_eof(channel.raw) == 0 {
                channel.begin()
                return id
            }
            retire(id)
        }
        return nil
    }

    private func begin(_ new: FarEnd, _ id: Int) async throws(ChannelError) {
        let raw = try channel(id).raw
        let line = new.line(target.sudo)
        let code = await patiently {
            libssh2_channel_process_startup(raw, "exec", 4, line, UInt32(line.utf8.count))
        }
        guard code == 0 else { throw ChannelError(complaint) }
        try await awaitMarks(new, id)
        try await send(FarEnd.program, on: id)
    }

    /// Waits for the first marks, and says the password that sudo asks for.
    private func awaitMarks(_ new: FarEnd, _ id: Int) async throws(ChannelError) {
        let deadline = ContinuousClock.now + target.limits.login
        var isAsked = false
        while true {
            let channel = try channel(id)
            let moved = try drain(channel)
            if channel.output.hasBegun && channel.errors.hasBegun { return }
            if case .withPassword(let password) = target.sudo, channel.errors.take(prompt: new.prompt) {
                if isAsked { throw ChannelError("sudo refuses the password") }
                isAsked = true
                try await send(Array((password.reveal() + "\n").utf8), on: id)
            } else if channel.isClosed {
                let words = channel.errors.lastWords + channel.output.lastWords
                throw ChannelError(words.isEmpty ? "its login shell ended without a word" : words)
            } else if deadline <= .now {
                throw ChannelError("nothing began within \(target.limits.login.components.seconds) s")
            } else if !moved {
                await turn(until: deadline)
            }
        }
    }

    /// Takes in what has come on both streams, by turns; false where that was nothing.
    func drain(_ channel: Channel) throws(ChannelError) -> Bool {
        let before = wire.received
        let output = try pull(0, of: channel)
        let errors = try pull(SSH_EXTENDED_DATA_STDERR, of: channel)
        channel.output.append(output ?? [])
        channel.errors.append(errors ?? [])
        if output == nil && errors == nil || channel.hasEnded { channel.isClosed = true }
        guard max(channel.output.bytes.count, channel.errors.bytes.count) <= largest else {
            throw ChannelError("it wrote more than \(largest >> 20) MiB")
        }
        return output?.isEmpty == false || errors?.isEmpty == false || wire.received != before
    }

    /// Waits for the end of a request: a command's status, or what the system said against it.
    func collect(_ id: Int, within limit: Duration) async throws(ChannelError) -> Result<Int32, Errno> {
        let deadline = ContinuousClock.now + limit
        while true {
            let channel = try channel(id)
            let moved = try drain(channel)
            if channel.hasEnded { break }
            if channel.isClosed { throw ChannelError("it was ended from outside: \(channel.errors.lastWords)") }
            if Task.isCancelled { throw ChannelError("it was cancelled") }
            if deadline <= .now {
                throw ChannelError("it was ended after its limit of \(limit.components.seconds) s")
            }
            if moved {
                await Task.yield()
            } else {
                await loop.readinessOrCancellation(of: wire.descriptor, for: POLLIN, until: deadline)
            }
        }
        loop.wake(wire.descriptor)
        let end = try channel(id).output.end ?? ""
        guard let number = Int32(end.dropFirst()) else { throw ChannelError("it ended with '\(end)'") }
        return end.hasPrefix("E") ? .failure(Errno(rawValue: number)) : .success(number)
    }

    /// Ends what has not ended: the far end does so once its input is over. It has 2 s for it, and then kills.
    func finish(_ id: Int) async {
        defer { retire(id) }
        guard let channel = channels[id], !channel.isClosed, (try? await endInput(of: id)) != nil else { return }
        let deadline = ContinuousClock.now + .seconds(5)
        while !channel.isClosed, deadline > .now {
            guard let moved = try? drain(channel) else { return }
            if !moved { await turn(until: deadline) }
        }
    }
}
