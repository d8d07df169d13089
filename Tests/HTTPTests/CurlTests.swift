import HTTP
import Synchronization
import TestSupport
import Testing

@Suite struct CurlTests {
    @Test func theRequestArrivesAndTheAnswerComesBack() async throws {
        let server = try StubServer { _ in StubResponse(201, "made", headers: ["X-Kind": "a", "x-kind ": "b"]) }
        let request = HTTPRequest(
            "PATCH", server.url + "/a?b=c", headers: ["Content-Type": "text/x", "X-Empty": ""], body: [0, 1, 2, 0])
        let response = try await Curl().send(request)
        #expect(response.status == 201 && response.body == Array("made".utf8))
        #expect(response.headers["transfer-encoding"] == "chunked")
        let asked = try #require(server.requests.first)
        #expect(asked.method == "PATCH" && asked.target == "/a?b=c" && asked.body == [0, 1, 2, 0])
        #expect(asked.headers["content-type"] == "text/x" && asked.headers["x-empty"] == "")
        #expect(asked.headers["expect"] == nil)
    }

    @Test(arguments: ["GET", "DELETE", "HEAD"])
    func aRequestWithoutBodyHasNone(method: String) async throws {
        let server = try StubServer { _ in StubResponse(204) }
        #expect(try await Curl().send(HTTPRequest(method, server.url)).status == 204)
        #expect(server.requests.map(\.method) == [method])
        #expect(server.requests.first?.headers["content-length"] == nil)
        #expect(server.requests.first?.headers["content-type"] == nil)
    }

    @Test func anEmptyPostSaysThatItIsEmpty() async throws {
        let server = try StubServer { _ in StubResponse() }
        #expect(try await Curl().send(HTTPRequest("POST", server.url)).status == 200)
        #expect(server.requests.first?.headers["content-length"] == "0")
    }

    @Test(arguments: [404, 500, 302])
    func anyStatusIsAnAnswer(status: Int) async throws {
        let server = try StubServer { request in
            request.path == "/" ? StubResponse(status, "no", headers: ["Location": "/elsewhere"]) : StubResponse()
        }
        let response = try await Curl().send(HTTPRequest("GET", server.url + "/"))
        #expect(response.status == status && response.body == Array("no".utf8))
        #expect(server.requests.count == 1)
    }

    @Test func aLargeBodyComesWholeAndATooLargeOneIsAnError() async throws {
        let server = try StubServer { _ in StubResponse(200, String(repeating: "x", count: 3_000_000)) }
        #expect(try await Curl().send(HTTPRequest("GET", server.url)).body.count == 3_000_000)
        let error = await #expect(throws: HTTPError.self) {
            try await Curl(largestBody: 1_000_000).send(HTTPRequest("GET", server.url))
        }
        #expect(error?.description.contains("larger than 1000000 bytes") == true)
    }

    @Test func aRefusedConnectionSaysSo() async throws {
        let url = "http://127.0.0.1:\(try StubServer.freePort())/x"
        let error = await #expect(throws: HTTPError.self) { try await Curl().send(HTTPRequest("GET", url)) }
        #expect(error?.description.hasPrefix("could not GET \(url): ") == true)
        #expect(error?.description.contains("Connection refused") == true)
    }

    @Test(arguments: ["ftp://127.0.0.1/", "127.0.0.1", "file:///etc/passwd", "http://[bad"])
    func whatIsNoAddressIsRefused(url: String) async {
        await #expect(throws: HTTPError.self) { try await Curl().send(HTTPRequest("GET", url)) }
    }

    @Test func aHeaderCannotBreakItsLine() async throws {
        let server = try StubServer { _ in StubResponse() }
        let request = HTTPRequest("GET", server.url, headers: ["X": "a\r\nY: b"])
        await #expect(throws: HTTPError.self) { try await Curl().send(request) }
    }

    @Test func aSlowAnswerEndsAtTheLimit() async throws {
        let server = try StubServer { _ in StubResponse(pieces: ["a", "b"], pause: .seconds(30)) }
        let start = ContinuousClock.now
        let error = await #expect(throws: HTTPError.self) {
            try await Curl().send(HTTPRequest("GET", server.url, limit: .milliseconds(300)))
        }
        #expect(error?.description.contains("timed out") == true)
        #expect(ContinuousClock.now - start < .seconds(25))
    }

    @Test func aCancelledRequestEndsSoon() async throws {
        let server = try StubServer { _ in StubResponse(pieces: ["a", "b"], pause: .seconds(30)) }
        let start = ContinuousClock.now
        let task = Task { try await Curl().send(HTTPRequest("GET", server.url)) }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: HTTPError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(25))
    }
}

@Suite struct CurlStreamTests {
    @Test func piecesComeAsTheyAreSent() async throws {
        let server = try StubServer { _ in StubResponse(pieces: ["one", "two", "three"], pause: .milliseconds(100)) }
        let got = Pieces()
        let status = try await Curl().stream(HTTPRequest("GET", server.url)) { got.take($1, goOn: true) }.status
        #expect(status == 200 && got.all == ["one", "two", "three"])
    }

    @Test func statusAndHeadersComeBeforeTheBody() async throws {
        let server = try StubServer { _ in StubResponse(206, "part", headers: ["Content-Range": "bytes 2-5/6"]) }
        let heads = Heads()
        let answer = try await Curl().stream(HTTPRequest("GET", server.url)) { head, _ in heads.take(head) }
        #expect(heads.all.map(\.status) == [206] && answer.status == 206)
        for head in heads.all + [answer] {
            #expect(head.headers["content-range"] == "bytes 2-5/6" && head.body.isEmpty)
        }
    }

    @Test func aConnectionThatIsCutMayBeTriedAgain() async throws {
        let server = try StubServer { _ in StubResponse(pieces: ["one"], isCut: true) }
        let got = Pieces()
        let error = await #expect(throws: HTTPError.self) {
            try await Curl().stream(HTTPRequest("GET", server.url)) { got.take($1, goOn: true) }
        }
        #expect(got.all == ["one"] && error?.isPassing == true)
        let lasting = await #expect(throws: HTTPError.self) {
            try await Curl().send(HTTPRequest("GET", "ftp://127.0.0.1"))
        }
        #expect(lasting?.isPassing == false)
    }

    @Test func theReceiverMayHaveEnough() async throws {
        let server = try StubServer { _ in
            StubResponse(pieces: ["one", "two"], pause: .milliseconds(200), hang: .seconds(30))
        }
        let got = Pieces()
        let status = try await Curl().stream(HTTPRequest("GET", server.url)) { got.take($1, goOn: false) }.status
        #expect(status == 200 && got.all == ["one"])
    }

    @Test func aCancelledStreamEndsAndTheServerSeesIt() async throws {
        let server = try StubServer { _ in StubResponse(pieces: ["one"], hang: .seconds(30)) }
        let got = Pieces()
        let start = ContinuousClock.now
        let task = Task {
            try await Curl().stream(HTTPRequest("GET", server.url)) { got.take($1, goOn: true) }
        }
        while got.all.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        #expect(try await task.value.status == 200)
        while server.hangups == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(ContinuousClock.now - start < .seconds(25))
    }

    @Test func aStreamMayBeLongerThanItsLimitButNotSilentSoLong() async throws {
        let pieces = (0..<4).map(String.init)
        let server = try StubServer { _ in StubResponse(pieces: pieces, pause: .milliseconds(400), hang: .seconds(30)) }
        let got = Pieces()
        let error = await #expect(throws: HTTPError.self) {
            try await Curl().stream(HTTPRequest("GET", server.url, limit: .seconds(1))) { got.take($1, goOn: true) }
        }
        #expect(got.all == pieces)
        #expect(error?.description.contains("too slow") == true)
    }
}

private final class Heads: Sendable {
    private let heads = Mutex<[HTTPResponse]>([])
    var all: [HTTPResponse] { heads.withLock { $0 } }
    func take(_ head: HTTPResponse) -> Bool {
        heads.withLock { $0.append(head) }
        return true
    }
}

private final class Pieces: Sendable {
    private let pieces = Mutex<[String]>([])
    var all: [String] { pieces.withLock { $0 } }
    func take(_ bytes: [UInt8], goOn: Bool) -> Bool {
        pieces.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        return goOn
    }
}
