extension Containerd {
    /// A blob that is there whole.
    package struct Content: Hashable, Sendable {
        package var digest: String
        /// In bytes.
        package var size: Int64
        package var labels: [String: String]

        package init(digest: String, size: Int64, labels: [String: String] = [:]) {
            (self.digest, self.size, self.labels) = (digest, size, labels)
        }
    }

    package func contents() async throws(ContainerdError) -> [Content] {
        let answers = try await channel.call("containerd.services.content.v1.Content/List", WireMessage())
        return try reading("Content/List") { () throws(WireError) in
            var contents: [Content] = []
            for answer in answers {
                for info in try answer.messages(1) {
                    contents.append(Content(digest: info.text(1), size: info.number(2), labels: try info.map(5)))
                }
            }
            return contents
        }
    }

    /// Hands over a blob's bytes from `offset` on, in pieces of at most 1 MiB; `notFound` where it is not there whole.
    /// containerd does not prove them. `take` is called on a thread of the call's own; what it throws ends the call.
    package func read(
        _ digest: String, from offset: Int64 = 0,
        take: @escaping @Sendable ([UInt8]) throws(ContainerdError) -> Void
    ) async throws(ContainerdError) {
        var request = WireMessage.text(1, digest)
        request.set(2, offset)
        try await channel.call(
            "containerd.services.content.v1.Content/Read", request, within: .seconds(60),
            answered: { answer throws(ContainerdError) in try take(Array(answer.bytes(2))) })
    }

    /// Adds labels to a blob; others stay.
    package func label(_ digest: String, _ labels: [String: String]) async throws(ContainerdError) {
        var info = WireMessage.text(1, digest)
        info.set(5, labels)
        var request = WireMessage()
        request.add(1, info)
        request.add(2, .mask(labels.keys.sorted().map { "labels." + $0 }))
        _ = try await ask("content.v1.Content/Update", request)
    }

    /// How many bytes there are of each blob that was begun and not finished, by the name under which it was begun.
    package func begun() async throws(ContainerdError) -> [String: Int64] {
        let answer = try await ask("content.v1.Content/ListStatuses", WireMessage())
        return try reading("Content/ListStatuses") { () throws(WireError) in
            var begun: [String: Int64] = [:]
            for status in try answer.messages(1) { begun[status.text(3)] = status.number(4) }
            return begun
        }
    }

    /// Forgets what was begun under this name; nothing where there is none.
    package func abort(_ name: String) async throws(ContainerdError) {
        do {
            _ = try await ask("content.v1.Content/Abort", .text(1, name))
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// A blob on its way into the store.
    package struct Ingest: Sendable {
        /// Under which it is begun, and gone on with after a break.
        package var name: String
        package var content: Content
        /// How much of it is there.
        package var offset: Int64

        package init(_ name: String, of content: Content, from offset: Int64) {
            (self.name, self.content, self.offset) = (name, content, offset)
        }
    }

    /// Writes the pieces that `next` returns, until it returns nil, and commits
    /// the blob. containerd hashes all of it, what was there before included:
    /// `failedPrecondition` where it is not the digest, and the ingest stays.
    /// `alreadyExists` where the blob is there; the lease then holds it.
    ///
    /// - Parameters:
    ///   - limit: how long containerd may take for one piece or for the commit.
    ///   - next: called on a thread of the call's own; it may block.
    ///   - written: told how many bytes of the blob containerd has.
    package func write(
        _ ingest: Ingest, within limit: Duration,
        next: @escaping @Sendable () throws(ContainerdError) -> [UInt8]?,
        written: @escaping @Sendable (Int64) -> Void
    ) async throws(ContainerdError) {
        let pieces = Pieces(of: ingest)
        // Nothing but the claim: where it is refused no byte was sent in vain.
        let first = pieces.message(.stat)
        try await channel.call(
            "containerd.services.content.v1.Content/Write", first, within: limit,
            more: { () throws(ContainerdError) in try pieces.next(next) }, answered: { written($0.number(4)) })
    }
}
