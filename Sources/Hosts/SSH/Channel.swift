/// A channel of a session. It belongs to its transport's thread.
final class Channel {
    let raw: OpaquePointer
    var output: MarkedStream
    var errors: MarkedStream
    /// It is one of those that OpenSSH counts.
    var isSession: Bool
    /// What comes on it is passed on as it is.
    var isRaw = false
    /// Nothing more can be sent on it.
    var isClosed = false

    init(_ raw: OpaquePointer, isSession: Bool, mark: String) {
        (self.raw, self.isSession) = (raw, isSession)
        (output, errors) = (MarkedStream(mark: mark), MarkedStream(mark: mark))
    }

    var hasEnded: Bool { output.end != nil && errors.end != nil }
}

/// What is wrong with a connection or a channel, to be said with what was attempted.
struct ChannelError: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
