/// Why there is no connection to a host.
package struct SSHError: Error, Hashable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// No address, no answer, or an answer that is not SSH.
        case unreachable
        /// It was pinned by nobody, or it is another than the pinned one; with what the host shows.
        case hostKeyUnknown(shown: [HostKey])
        case hostKeyChanged(pinned: Fingerprint, shown: [HostKey])
        case loginRefused, sudoRefused
        /// It let us in, but nothing can be run on it.
        case unusable
    }

    package var kind: Kind
    package var host: String
    package var attempt: String
    package var reason: String

    init(_ kind: Kind, _ host: String, _ attempt: String, _ reason: String) {
        (self.kind, self.host, self.attempt, self.reason) = (kind, host, attempt, reason)
    }

    package var description: String { "\(host): could not \(attempt): \(reason)" }
}
