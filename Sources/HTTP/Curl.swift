import CCurl
import Dispatch

/// HTTP by libcurl. It follows no redirect, and a proxy of the environment only where that is asked for.
///
/// Each request has a handle and a thread of its own: libcurl blocks, and a
/// server that does not answer must not hold one of the few threads that all tasks share.
package struct Curl: HTTPExchange {
    private let usesEnvironmentProxy: Bool
    /// How many bytes of an answer `send` keeps before it gives up.
    private let largestBody: Int

    package init(usesEnvironmentProxy: Bool = false, largestBody: Int = 256 << 20) {
        (self.usesEnvironmentProxy, self.largestBody) = (usesEnvironmentProxy, largestBody)
    }

    /// `request.limit` bounds the whole exchange.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = Transfer(request, sink: .keep(largestBody), usesEnvironmentProxy: usesEnvironmentProxy)
        return try await transfer.onItsThread().get()
    }

    /// `request.limit` bounds the time to connect, and the time without a byte.
    /// A cancelled task ends the stream as the server does: with the status.
    package func stream(
        _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse, [UInt8]) -> Bool
    ) async throws(HTTPError) -> HTTPResponse {
        let transfer = Transfer(request, sink: .handOver(receive), usesEnvironmentProxy: usesEnvironmentProxy)
        return try await transfer.onItsThread().get()
    }
}

/// What is asked, and what becomes of the answer's body.
struct Transfer: Sendable {
    enum Sink: Sendable {
        case keep(Int)
        case handOver(@Sendable (HTTPResponse, [UInt8]) -> Bool)
    }

    let request: HTTPRequest
    let sink: Sink
    let usesEnvironmentProxy: Bool

    init(_ request: HTTPRequest, sink: Sink, usesEnvironmentProxy: Bool) {
        (self.request, self.sink, self.usesEnvironmentProxy) = (request, sink, usesEnvironmentProxy)
    }

    func onItsThread() async -> Result<HTTPResponse, HTTPError> {
        let cancellation = Cancellation()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "http").async {
                    continuation.resume(returning: perform(cancellation))
                }
            }
        } onCancel: {
            cancellation.request()
        }
    }

    private func perform(_ cancellation: Cancellation) -> Result<HTTPResponse, HTTPError> {
        do throws(HTTPError) {
            guard Self.library == CURLE_OK else { throw failure(String(cString: curl_easy_strerror(Self.library))) }
            var handle = EasyHandle()
            let answer = Answer(sink, cancellation)
            try configure(&handle, for: answer)
            let code = withExtendedLifetime(answer) { handle.perform() }
            if cancellation.isRequested {
                if case .handOver = sink { return .success(HTTPResponse(status: handle.status)) }
                throw failure("cancelled")
            }
            if answer.overflowed { throw failure("the answer is larger than \(largest) bytes") }
            guard code == CURLE_OK || answer.wasStopped else {
                throw failure(handle.reason(code), isPassing: Self.passing.contains(code.rawValue))
            }
            return .success(HTTPResponse(status: handle.status, headers: answer.headers, body: answer.body))
        } catch {
            return .failure(error)
        }
    }

    private static let library = jhub_curl_start()

    private var largest: Int { if case .keep(let bytes) = sink { bytes } else { .max } }

    /// Not among them: a certificate that is not believed, an address that is none.
    private static let passing: Set = Set(
        [
            CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT, CURLE_PARTIAL_FILE,
            CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
        ].map(\.rawValue))

    func failure(_ reason: String, isPassing: Bool = false) -> HTTPError {
        HTTPError("could not \(request.method) \(request.url): \(reason)", isPassing: isPassing)
    }
}
