import FoundationEssentials
package import HTTP
import Images
import Synchronization

/// Reads from registries by the OCI distribution specification 1.1.
///
/// What passes by itself is asked again (429, 5xx, a cut connection), from the byte on where it was cut; redirects are
/// followed, and no other host than the registry gets to see a login or a token.
package struct RegistryClient: Sendable {
    let access: RegistryAccess
    let http: any HTTPExchange
    let trust: Trust
    let pause: @Sendable (Duration) async throws -> Void
    let tokens = Tokens()

    /// How often in a row an answer may fail without a single new byte.
    static let mostFailures = 6

    package init(
        _ access: RegistryAccess, http: any HTTPExchange = Curl(usesEnvironmentProxy: true, largestBody: 1 << 20),
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        (self.access, self.http, self.pause) = (access, http, pause)
        // Own authorities beside the system's: one bundle may come from several registries.
        let system = try? Data(contentsOf: URL(filePath: "/etc/ssl/certs/ca-certificates.crt"))
        trust = access.authorities.isEmpty ? Trust() : Trust(authority: Array(system ?? Data()) + access.authorities)
    }

    /// Asks until there is the whole answer, and hands over the body from the byte `start` on.
    ///
    /// - Parameter size: of the body in bytes, where it is known.
    func fetch(
        _ what: String, of place: RegistryPlace, at url: String, accept: String? = nil, from start: Int64 = 0,
        size: Int64? = nil, take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws -> HTTPResponse {
        let reception = Reception(from: start, size: size, take)
        var failures = 0
        while true {
            let before = reception.offset
            let failure: RegistryError
            var wait = Duration.milliseconds(500 << min(failures, 6))
            do {
                let answer = try await ask(what, of: place, at: url, accept: accept, reception)
                switch answer.status {
                case 200, 206:
                    guard let size, reception.offset < size else { return answer }
                    let reason = "it ends after \(reception.offset) of \(size) bytes"
                    failure = RegistryError(place, what, HTTPError(reason))
                case 429, 500, 502, 503, 504:
                    failure = RegistryError(place, what, answer, hasLogin: hasLogin(for: place))
                    if let said = answer.retryAfter() { wait = said }
                default: throw RegistryError(place, what, answer, hasLogin: hasLogin(for: place))
                }
            } catch let error as HTTPError {
                failure = RegistryError(place, what, error)
                guard error.isPassing else { throw failure }
            }
            failures = reception.offset > before ? 1 : failures + 1
            guard failures < Self.mostFailures, wait <= .seconds(300) else { throw failure }
            try await pause(wait)
        }
    }

    func hasLogin(for place: RegistryPlace) -> Bool {
        access.logins.login(host: place.host, repository: place.repository) != nil
    }

    /// What each repository wants in the header Authorization.
    final class Tokens: Sendable {
        private let known = Mutex<[String: String]>([:])

        subscript(place: RegistryPlace) -> String? {
            get { known.withLock { $0["\(place.host)/\(place.repository)"] } }
            set { known.withLock { $0["\(place.host)/\(place.repository)"] = newValue } }
        }
    }
}

/// The body of an answer, as it comes; one that was cut is gone on with.
final class Reception: Sendable {
    struct State: Sendable {
        var offset: Int64
        /// How much of the present answer's body came.
        var received: Int64 = 0
        /// What a server says that refuses.
        var words: [UInt8] = []
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    private let size: Int64?
    private let take: @Sendable ([UInt8]) throws -> Void

    init(from offset: Int64, size: Int64?, _ take: @escaping @Sendable ([UInt8]) throws -> Void) {
        state = Mutex(State(offset: offset))
        (self.size, self.take) = (size, take)
    }

    /// Of the next byte that is wanted.
    var offset: Int64 { state.withLock { $0.offset } }

    func begin() { state.withLock { ($0.received, $0.words) = (0, []) } }

    /// What the server said, or what went wrong with the bytes.
    func words() throws -> [UInt8] {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.words
        }
    }

    /// Answers false to end the transfer.
    func take(_ head: HTTPResponse, _ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            guard head.status == 200 || head.status == 206 else {
                state.words += bytes.prefix(4096 - min(4096, state.words.count))
                return state.words.count < 4096
            }
            do {
                if head.status == 206, state.received == 0 { try check(head, state.offset) }
                // A server that does not know ranges begins at the beginning.
                let first = head.status == 206 ? state.offset : state.received
                state.received += Int64(bytes.count)
                let new = bytes.dropFirst(Int(min(Int64(bytes.count), max(0, state.offset - first))))
                if let size, state.offset + Int64(new.count) > size { throw HTTPError("more than \(size) bytes came") }
                if !new.isEmpty { try take(Array(new)) }
                state.offset += Int64(new.count)
                return true
            } catch {
                state.failure = error
                return false
            }
        }
    }

    private func check(_ head: HTTPResponse, _ offset: Int64) throws {
        let range = head.headers["content-range"] ?? ""
        guard range.hasPrefix("bytes \(offset)-") else {
            throw HTTPError("asked for the bytes from \(offset) on, it answers the range '\(range.prefix(100))'")
        }
    }
}
