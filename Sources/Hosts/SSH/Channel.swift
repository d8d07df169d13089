/// A channel of a session. It belongs to its transport's thread.
final class Channel {
    let raw: OpaquePointer
    var output: MarkedStream
    var errors: MarkedStream
    /// It is one of those that OpenSSH counts.
    let isSession: Bool
    /// It has a place among those that are at work at a time.
    var hasPlace: Bool
    /// All of the request has been sent, with its input.
    var isSent = false
    /// What comes on it is passed on as it is.
    var isRaw = false
    /// Nothing more can be sent on it.
    var isClosed = false
    private let mark: String

    init(_ raw: OpaquePointer, isSession: Bool, mark: String) {
        (self.raw, self.isSession, self.hasPlace, self.mark) = (raw, isSession, isSession, mark)
        (output, errors) = (MarkedStream(mark: mark), MarkedStream(mark: mark))
    }

    /// The request has, on both streams.
    var hasEnded: Bool { output.end != nil && errors.end != nil }

    /// For the next request to the same far end.
    func begin() {
        (output, errors) = (MarkedStream(mark: mark, hasBegun: true), MarkedStream(mark: mark, hasBegun: true))
        (isClosed, isSent, hasPlace) = (false, false, true)
    }
}

/// What is wrong with a connection or a channel, to be said with what was attempted.
struct ChannelError: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
