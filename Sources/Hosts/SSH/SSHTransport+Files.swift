import Glibc
package import SystemPackage

extension SSHTransport {
    package func read(_ path: FilePath) async throws(TransportError) -> [UInt8]? {
        try await ask("read \(path)", ["read_file", path.string, "\(largest)"])
    }

    package func state(of path: FilePath) async throws(TransportError) -> FileState? {
        let attempt = "look at \(path)"
        guard let answer = try await ask(attempt, ["state_of", path.string]) else { return nil }
        let words = answer.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count == 5, let mode = CModeT(words[0]), let size = Int64(words[1]),
            let user = UInt32(words[2]), let group = UInt32(words[3])
        else { throw TransportError(name, attempt, "the answer was '\(words.joined(separator: " "))'") }
        let kind: FileState.Kind =
            switch mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link(to: FilePath(words[4]))
            default: .other
            }
        return FileState(
            kind: kind, size: size, permissions: FilePermissions(rawValue: mode & 0o7777),
            owner: Owner(user: user, group: group))
    }

    package func list(_ path: FilePath) async throws(TransportError) -> [String]? {
        try await ask("list \(path)", ["list", path.string])?.split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    package func write(_ file: File) async throws(TransportError) {
        let words = ["write_file", file.path.string, "\(file.contents.count)"]
        try await command("write \(file.path)", words + numbers(file.permissions, file.owner), body: file.contents)
    }

    package func make(_ directory: Directory) async throws(TransportError) {
        let words = ["make", directory.path.string] + numbers(directory.permissions, directory.owner)
        try await command("make the folder \(directory.path)", words)
    }

    package func remove(_ path: FilePath) async throws(TransportError) {
        try await command("remove \(path)", ["remove", path.string])
    }

    private func numbers(_ permissions: FilePermissions, _ owner: Owner) -> [String] {
        ["\(permissions.rawValue)", "\(owner.user)", "\(owner.group)"]
    }

    /// A request that has nothing to answer.
    func command(_ attempt: String, _ words: [String], body: [UInt8] = []) async throws(TransportError) {
        guard try await ask(attempt, words, body: body) != nil else {
            throw TransportError(name, attempt, "\(Errno.noSuchFileOrDirectory)")
        }
    }

    /// The answer to a request, or nil where there is no such file.
    private func ask(
        _ attempt: String, _ words: [String], body: [UInt8] = []
    ) async throws(TransportError) -> [UInt8]? {
        do throws(ChannelError) {
            let id = try await start(words)
            let result: Result<[UInt8], Errno>
            do throws(ChannelError) {
                result = try await answer(to: id, body: body)
            } catch {
                retire(id)
                throw error
            }
            switch result {
            case .success(let bytes):
                park(id)
                return bytes
            case .failure(let errno):
                // A far end that has not read all ends.
                body.isEmpty ? park(id) : retire(id)
                guard errno == .noSuchFileOrDirectory else { throw ChannelError("\(errno)") }
                return nil
            }
        } catch {
            throw TransportError(name, attempt, error.reason)
        }
    }

    private func answer(to id: Int, body: [UInt8]) async throws(ChannelError) -> Result<[UInt8], Errno> {
        do throws(ChannelError) {
            try await send(body, on: id)
        } catch {
            // It says below why it did not want all of it.
            guard channels[id]?.hasEnded == true else { throw error }
        }
        let end = try await collect(id, within: target.limits.request)
        let bytes = try channel(id).output.bytes
        return end.map { _ in bytes }
    }
}
