import Dispatch
package import SystemPackage

/// gRPC over a Unix socket.
///
/// Each call has a connection and a thread of its own: a call blocks, some for
/// minutes, and must not hold one of the few threads that all tasks share.
package struct Channel: Sendable {
    package var socket: FilePath
    /// What every request says in its headers beside gRPC's own.
    var headers: [String: String] = [:]

    package init(to socket: FilePath, headers: [String: String] = [:]) {
        (self.socket, self.headers) = (socket, headers)
    }

    /// Sends one message and returns all that come back. `limit` bounds the time without a byte from the server.
    package func call(
        _ method: String, _ request: WireMessage, within limit: Duration = .seconds(60)
    ) async throws(ContainerdError) -> [WireMessage] {
        try await perform(Request(method: method, first: request), within: limit)
    }

    /// Sends a first message and, once that is answered, what `more` returns
    /// until it returns nil; the server has to answer each of these. Without
    /// `more` it answers the first as often as it likes. Both closures are called
    /// on the call's thread and may block; what they throw ends the call.
    package func call(
        _ method: String, _ first: WireMessage, within limit: Duration,
        more: (@Sendable () throws(ContainerdError) -> WireMessage?)? = nil,
        answered: @escaping @Sendable (WireMessage) throws(ContainerdError) -> Void
    ) async throws(ContainerdError) {
        _ = try await perform(Request(method: method, first: first, more: more, answered: answered), within: limit)
    }

    private func perform(_ request: Request, within limit: Duration) async throws(ContainerdError) -> [WireMessage] {
        let lifeline = Lifeline()
        let result: Result<[WireMessage], ContainerdError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "containerd").async {
                    continuation.resume(
                        returning: Result { () throws(ContainerdError) in
                            try Call(request).perform(on: self, within: limit, lifeline)
                        })
                }
            }
        } onCancel: {
            lifeline.cut()
        }
        return try result.get()
    }
}

/// What a call asks, and what becomes of its answers.
struct Request: Sendable {
    /// "containerd.services.content.v1.Content/Write"
    var method: String
    var first: WireMessage
    var more: (@Sendable () throws(ContainerdError) -> WireMessage?)?
    /// Nil: they are kept.
    var answered: (@Sendable (WireMessage) throws(ContainerdError) -> Void)?
}
