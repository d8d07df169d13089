import Glibc
import Synchronization

/// One request and its answer, after which the connection is closed.
struct StubConnection: ~Copyable {
    let raw: Int32
    deinit { close(raw) }

    func serve(_ handler: StubServer.Handler, _ log: StubServer.Log) {
        guard let request = readRequest() else { return }
        log.state.withLock { $0.requests.append(request) }
        if !answer(handler(request)) { log.state.withLock { $0.hangups += 1 } }
    }

    private func readRequest() -> StubRequest? {
        var bytes: [UInt8] = []
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                return parse(head: bytes[..<end.lowerBound], body: Array(bytes[end.upperBound...]))
            }
            guard let more = receive() else { return nil }
            bytes += more
            // A TLS handshake: answered as servers do that know no TLS.
            if bytes.first == 0x16 {
                _ = write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                return nil
            }
        }
    }

    private func parse(head: ArraySlice<UInt8>, body: [UInt8]) -> StubRequest? {
        let lines = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            headers[line[..<colon].lowercased()] = String(line[colon...].dropFirst().drop { $0 == " " })
        }
        var body = body
        while body.count < headers["content-length"].flatMap({ Int($0) }) ?? 0 {
            guard let more = receive() else { return nil }
            body += more
        }
        return StubRequest(method: String(words[0]), target: String(words[1]), headers: headers, body: body)
    }

    /// Answers false where the client went away before the end.
    private func answer(_ response: StubResponse) -> Bool {
        var head = "HTTP/1.1 \(response.status) Said\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        guard write(head + "\r\n") else { return false }
        for (index, piece) in response.pieces.enumerated() where !piece.isEmpty {
            if index > 0, !stays(for: response.pause) { return false }
            guard write("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n") else { return false }
        }
        if response.isCut { return true }
        return stays(for: response.hang) && write("0\r\n\r\n")
    }

    private func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(raw, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Waits, and tells whether the client is still there.
    private func stays(for time: Duration) -> Bool {
        if time == .zero { return true }
        var watched = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, Int32(time / .milliseconds(1))) == 0
    }
}
