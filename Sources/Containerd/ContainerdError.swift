/// Why containerd could not be asked, or what it answered in place of a result.
package struct ContainerdError: Error, Hashable, CustomStringConvertible {
    /// gRPC's codes (grpc/status.h), as far as they are told apart here.
    package enum Code: Int, Sendable {
        case notFound = 5
        case alreadyExists = 6
        case failedPrecondition = 9
        case outOfRange = 11
        case unavailable = 14
    }

    /// "Content/Write"
    package var call: String
    /// Nil where it is another one, or where there was no answer.
    package var code: Code?
    /// In containerd's words, or the system's.
    package var reason: String

    package init(_ call: String, _ reason: String, code: Code? = nil) {
        (self.call, self.code) = (call, code)
        self.reason = reason.replacing("\n", with: " ")
    }

    package var description: String { "containerd's \(call) says: \(reason)" }
}
