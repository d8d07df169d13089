import FoundationEssentials
import HTTP
import Hosts
import TestSupport
import Testing

/// Where the tool is missing the tests are left out, but not in CI, where that would go unnoticed.
private let canServe =
    FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")
    || ProcessInfo.processInfo.environment["CI"] == "true"

/// TLS against `openssl s_server`, with an authority made for the test.
@Suite(.enabled(if: canServe, "openssl is not installed")) struct TrustTests {
    @Test func ourOwnAuthorityIsBelieved() async throws {
        try await withServer(mutual: false) { url, files in
            let response = try await Curl().send(HTTPRequest("GET", url, trust: Trust(authority: files("ca.pem"))))
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self).contains("no client certificate available"))
        }
    }

    @Test func anUnknownAuthorityIsNot() async throws {
        try await withServer(mutual: false) { url, files in
            for trust in [Trust(), Trust(authority: try files("other.pem"))] {
                let error = await #expect(throws: HTTPError.self) {
                    try await Curl().send(HTTPRequest("GET", url, trust: trust))
                }
                #expect(error?.description.contains("certificate") == true)
            }
        }
    }

    @Test func aNameThatIsNotInTheCertificateIsRefused() async throws {
        try await withServer(mutual: false) { url, files in
            let url = url.replacing("127.0.0.1", with: "localhost")
            await #expect(throws: HTTPError.self) {
                try await Curl().send(HTTPRequest("GET", url, trust: Trust(authority: files("ca.pem"))))
            }
        }
    }

    @Test func aServerThatAsksWhoWeAreIsTold() async throws {
        try await withServer(mutual: true) { url, files in
            let authority = try files("ca.pem")
            let trust = Trust(authority: authority, certificate: try files("client.pem"), key: try files("client.key"))
            let response = try await Curl().send(HTTPRequest("GET", url, trust: trust))
            #expect(!String(decoding: response.body, as: UTF8.self).contains("no client certificate available"))
            await #expect(throws: HTTPError.self) {
                try await Curl().send(HTTPRequest("GET", url, trust: Trust(authority: authority)))
            }
        }
    }

    @Test func garbageForACertificateIsAnError() async throws {
        try await withServer(mutual: false) { url, _ in
            let trust = Trust(authority: Array("no certificate".utf8))
            await #expect(throws: HTTPError.self) { try await Curl().send(HTTPRequest("GET", url, trust: trust)) }
        }
    }

    private func withServer(
        mutual: Bool, _ body: (String, (String) throws -> [UInt8]) async throws -> Void
    ) async throws {
        let host = LocalTransport()
        let folder = try await host.run(["mktemp", "-d", "/tmp/jhub-tls.XXXXXX"]).output.filter { !$0.isNewline }
        let made = try await host.run(["sh", "-ec", Self.certificates, "sh", folder])
        try #require(made.status == 0, "openssl: \(made.errors)")
        let port = try StubServer.freePort()
        var serve: Command = [
            "openssl", "s_server", "-quiet", "-www", "-accept", "127.0.0.1:\(port)", "-CAfile", "\(folder)/ca.pem",
            "-cert", "\(folder)/server.pem", "-key", "\(folder)/server.key",
        ]
        if mutual { serve.argv += ["-Verify", "1", "-verify_return_error"] }
        let server = Task { [serve] in try await host.run(serve) }
        defer { server.cancel() }
        while try await host.run(["openssl", "s_client", "-connect", "127.0.0.1:\(port)"]).errors.contains("refused") {}
        try await body("https://127.0.0.1:\(port)/") { name in
            Array(try #require(FileManager.default.contents(atPath: "\(folder)/\(name)")))
        }
        server.cancel()
        _ = try? await server.value
        _ = try await host.run(["rm", "-rf", folder])
    }

    private static let certificates = """
        cd "$1"
        key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=ca 2>&1
        openssl req -x509 $key -keyout other.key -out other.pem -subj /CN=other 2>&1
        openssl req -x509 $key -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem -subj /CN=server \\
            -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE 2>&1
        openssl req -x509 $key -CA ca.pem -CAkey ca.key -keyout client.key -out client.pem -subj /CN=client \\
            -addext basicConstraints=critical,CA:FALSE 2>&1
        """
}
