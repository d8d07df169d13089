import Glibc
import NIOPosix
import SystemPackage
import Testing

@testable import Agent

/// A real server and real connections, on loopback.
@Suite struct WebTests {
    private static let group = MultiThreadedEventLoopGroup.singleton

    private func get(_ port: Int, _ path: String, token: String? = nil) async throws -> WebAnswer {
        var call = WebClient.Call(host: "127.0.0.1", port: port, path: path)
        call.token = token
        return try await WebClient(group: Self.group).send(call, within: .seconds(10))
    }

    @Test func aRequestIsReadAndAnswered() async throws {
        let server = try await Serving { WebAnswer(200, "\($0.path) \($0.query["since"] ?? "-") \($0.token ?? "-")") }
        let port = server.port
        let answer = try await get(port, "/v1/samples?since=12&x", token: "geheim")
        #expect(answer.status == 200)
        #expect(answer.body == Array("/v1/samples 12 geheim\n".utf8))
        #expect(try await get(port, "/").body == Array("/ - -\n".utf8))
        try await server.end()
    }

    @Test func aLongAnswerComesWhole() async throws {
        let body = [UInt8](repeating: 7, count: 3_000_000)
        let server = try await Serving { _ in WebAnswer(200, body) }
        let port = server.port
        #expect(try await get(port, "/").body == body)
        try await server.end()
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", ["200", "200"]),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ["405"]),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345", ["413"]),
        ("nonsense\r\n\r\n", ["400"]),
    ])
    func whatAClientMaySay(_ words: String, _ statuses: [String]) async throws {
        let server = try await Serving { _ in WebAnswer(200, "ok") }
        let port = server.port
        let said = try RawClient(port).exchange(words)
        let lines = said.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("HTTP/1.1 ") }
        #expect(lines.map { String($0.split(separator: " ")[1]) } == statuses)
        try await server.end()
    }

    @Test func aHeadHasNoBody() async throws {
        let server = try await Serving { _ in WebAnswer(200, "hello") }
        let port = server.port
        let said = try RawClient(port).exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(said.contains("content-length: 6\r\n"))
        #expect(said.hasSuffix("\r\n\r\n"))
        try await server.end()
    }

    @Test func aFloodOfConnectionsIsKeptOut() async throws {
        let server = try await Serving { _ in WebAnswer(200, "ok") }
        let port = server.port
        var guests: [RawClient] = []
        for _ in 0..<WebServer.mostConnections {
            let guest = try RawClient(port)
            #expect(try guest.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").hasPrefix("HTTP/1.1 200"))
            guests.append(guest)
        }
        #expect(try RawClient(port).exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == "")
        guests.removeAll()
        // Their places become free as their ends are seen.
        while true {
            if let answer = try? await get(port, "/"), answer.status == 200 { break }
        }
        try await server.end()
    }

    @Test func aPortThatIsTakenIsSaid() async throws {
        let server = try await Serving { _ in WebAnswer(200, "ok") }
        let port = server.port
        let address = try #require(ListenAddress("127.0.0.1:\(port)"))
        let error = try await #require(throws: WebError.self) {
            _ = try await WebServer.listening(on: [address], group: Self.group) { _ in WebAnswer(200, "") }
        }
        #expect(error.description == "could not listen on 127.0.0.1:\(port): Address already in use")
        try await server.end()
    }

    @Test func nobodyThereIsAnError() async throws {
        let call = WebClient.Call(host: "127.0.0.1", port: 1, path: "/x")
        let error = try await #require(throws: WebError.self) {
            _ = try await WebClient(group: Self.group).send(call, within: .seconds(10))
        }
        #expect(error.description.hasPrefix("GET 127.0.0.1:1/x: "))
    }

    @Test(arguments: [
        ("10.0.0.7:9450", "10.0.0.7", 9450), ("[::1]:80", "::1", 80), ("localhost:1", "localhost", 1),
    ])
    func anAddressIsRead(_ text: String, _ host: String, _ port: Int) {
        let address = ListenAddress(text)
        #expect(address?.host == host)
        #expect(address?.port == port)
        #expect(address?.description == text)
    }

    @Test(arguments: ["", "9450", "::1:80", "a:", "a:70000", ":80", "a:-1"])
    func whatIsNoAddress(_ text: String) { #expect(ListenAddress(text) == nil) }
}

/// A server on a port of its own.
private struct Serving {
    let port: Int
    private let task: Task<Void, any Error>

    init(_ answer: @escaping WebServer.Answering) async throws {
        let addresses = [try #require(ListenAddress("127.0.0.1:0"))]
        let server = try await WebServer.listening(
            on: addresses, group: MultiThreadedEventLoopGroup.singleton, answer: answer)
        port = try #require(server.ports.first)
        task = Task { try await server.serve() }
    }

    func end() async throws {
        task.cancel()
        try await task.value
    }
}

/// A client that may say anything.
private final class RawClient {
    private let socket: CInt

    init(_ port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let connected = withUnsafeBytes(of: &address) { raw in
            connect(socket, raw.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(raw.count))
        }
        guard connected == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(socket) }

    /// What comes first.
    func ask(_ words: String) throws -> String {
        try send(words)
        return try received() ?? ""
    }

    /// All that comes until the server closes.
    func exchange(_ words: String) throws -> String {
        try send(words)
        var said = ""
        while let piece = try? received() { said += piece }
        return said
    }

    private func send(_ words: String) throws {
        var rest = Array(words.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // A server that has heard enough may close before it has heard all.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func received() throws -> String? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &bytes, bytes.count, 0)
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return count == 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
