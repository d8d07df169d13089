import HTTP
import Synchronization

/// One thing that happened to a watched object.
package struct WatchEvent: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        case bookmark = "BOOKMARK"
    }
    package var kind: Kind
    package var object: JSON
}

extension KubeClient {
    /// Hands over what happens to the objects at the path since `resourceVersion`
    /// (without one: first those that there are), for the given time at most,
    /// until `onEvent` answers false or the task is cancelled.
    ///
    /// A version that the server has forgotten is an error of status 410: list again, then watch.
    package func watch(
        _ path: String, resourceVersion: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        for time: Duration = .seconds(60), onEvent: @escaping @Sendable (WatchEvent) -> Bool
    ) async throws(KubeError) {
        var query = "watch=true&timeoutSeconds=\(max(1, time.components.seconds))"
        if let resourceVersion { query += "&resourceVersion=\(resourceVersion.percentEncoded)" }
        if let labelSelector { query += "&labelSelector=\(labelSelector.percentEncoded)" }
        if let fieldSelector { query += "&fieldSelector=\(fieldSelector.percentEncoded)" }
        let lines = EventLines(onEvent)
        // The server ends the watch when its time is over; ours is the later limit, for a server that hangs.
        let request = request("GET", "\(path)?\(query)", limit: time + .seconds(30))
        let status: Int
        do {
            status = try await http.stream(request) { _, bytes in lines.take(bytes) }.status
        } catch {
            throw KubeError(error.description)
        }
        if let error = lines.failure(status: status, attempt: "watch \(path)") { throw error }
    }
}

/// Cuts a stream into lines, and reads an event from each.
final class EventLines: Sendable {
    struct State: Sendable {
        var rest: [UInt8] = []
        var failure: JSON?
    }

    private let state = Mutex(State())
    private let onEvent: @Sendable (WatchEvent) -> Bool

    init(_ onEvent: @escaping @Sendable (WatchEvent) -> Bool) { self.onEvent = onEvent }

    func take(_ bytes: [UInt8]) -> Bool {
        let lines = state.withLock { state in
            state.rest += bytes
            guard let end = state.rest.lastIndex(of: UInt8(ascii: "\n")) else { return [ArraySlice<UInt8>]() }
            let lines = state.rest[..<end].split(separator: UInt8(ascii: "\n"))
            state.rest = Array(state.rest[(end + 1)...])
            return lines
        }
        return lines.allSatisfy(takeLine)
    }

    private func takeLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard let event = try? JSON(parsing: line), let object = event["object"] else {
            // An answer that is no watch: the end of it is read with the rest.
            state.withLock { $0.rest = line + [UInt8(ascii: "\n")] + $0.rest }
            return true
        }
        guard let kind = event["type"]?.string.flatMap(WatchEvent.Kind.init) else {
            state.withLock { $0.failure = object }
            return false
        }
        return onEvent(WatchEvent(kind: kind, object: object))
    }

    func failure(status: Int, attempt: String) -> KubeError? {
        let state = state.withLock { $0 }
        if let failure = state.failure {
            return KubeError(attempt, HTTPResponse(status: failure["code"]?.int ?? status, body: failure.bytes))
        }
        // Zero: the task was cancelled before there was an answer.
        guard status != 200, status != 0 else { return nil }
        return KubeError(attempt, HTTPResponse(status: status, body: state.rest))
    }
}
