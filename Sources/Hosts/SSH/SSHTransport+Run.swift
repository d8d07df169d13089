import SystemPackage

extension SSHTransport {
    package func run(_ command: Command) async throws(TransportError) -> Outcome {
        do {
            return try await run(command) { sink in
                // A program need not read all that it is given.
                _ = try? await sink.write(command.input)
            }
        } catch let error as TransportError {
            throw error
        } catch {
            throw failure(of: command, "\(error)")
        }
    }

    package func run(
        _ command: Command, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        guard command.argv.first?.isEmpty == false else { throw failure(of: command, "there is no program to run") }
        do {
            let id = try await start(request(command))
            do {
                let outcome = try await converse(command, id, feed: feed)
                if channels[id]?.isSent == true { park(id) } else { await finish(id) }
                return outcome
            } catch {
                // Not in this task, which may be cancelled.
                await Task { await finish(id) }.value
                throw error
            }
        } catch let error as ChannelError {
            throw failure(of: command, error.reason)
        } catch is CancellationError {
            throw failure(of: command, "it was cancelled")
        }
    }

    private func failure(of command: Command, _ reason: String) -> TransportError {
        TransportError(name, "run \(command)", reason)
    }

    private func request(_ command: Command) -> [String] {
        let environment = ["PATH": LocalTransport.path, "LANG": "C.UTF-8"].merging(command.environment) { $1 }
        let words = environment.map { "\($0)=\($1)" }
        return ["run", "\(words.count)"] + words + command.argv
    }

    /// Feeds the command and listens to it, until both are over or one of them fails.
    private func converse(
        _ command: Command, _ id: Int, feed: @escaping @Sendable (any ByteSink) async throws -> Void
    ) async throws -> Outcome {
        let sink = ChannelSink(transport: self, id: id, command: command)
        let ended = try await withThrowingTaskGroup(of: Result<Int32, Errno>?.self) { group in
            group.addTask {
                try await feed(sink)
                await self.endFrames(of: id)
                return nil
            }
            group.addTask { try await self.collect(id, within: command.limit) }
            var ended: Result<Int32, Errno>?
            while let next = try await group.next() { ended = next ?? ended }
            return ended
        }
        let channel = try channel(id)
        switch ended {
        case .success(let status):
            return Outcome(
                status: status, output: String(decoding: channel.output.bytes, as: UTF8.self),
                errors: String(decoding: channel.errors.bytes, as: UTF8.self))
        case .failure(.noSuchFileOrDirectory): throw ChannelError("there is no such program")
        case .failure(let errno): throw ChannelError("\(errno)")
        case nil: throw ChannelError("it did not end")
        }
    }

    /// The end of the input. A command that has ended before it needs none.
    private func endFrames(of id: Int) async {
        if (try? await send([0, 0, 0, 0], on: id)) != nil { channels[id]?.isSent = true }
    }

    /// Why a command that has ended took no more input.
    fileprivate func complaint(of id: Int) async -> String? {
        guard let channel = channels[id], channel.hasEnded else { return nil }
        let words = channel.errors.lastWords
        return words.isEmpty ? "it ended before it had read its input" : words
    }
}

/// The standard input of a command, in the frames that `far-end.pl` knows.
private struct ChannelSink: ByteSink {
    let transport: SSHTransport
    let id: Int
    let command: Command

    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 << 16)
            try await send(piece)
            rest = rest.dropFirst(piece.count)
        }
    }

    private func send(_ piece: ArraySlice<UInt8>) async throws {
        let size = withUnsafeBytes(of: UInt32(piece.count).bigEndian, Array.init)
        do throws(ChannelError) {
            try await transport.send(size + piece, on: id)
        } catch {
            try Task.checkCancellation()
            let reason = await transport.complaint(of: id) ?? error.reason
            throw TransportError(transport.name, "feed \(command)", reason)
        }
    }
}
