import FoundationEssentials
import Images
import TestSupport
import Testing

@testable import Bundles

/// Who is shown a login or a token, and who is spoken to without TLS.
@Suite struct RegistryTrustTests {
    private let reference: ImageReference
    private let layer = Blob(digest: Digest(of: StubRegistry.layer.utf8), size: Int64(StubRegistry.layer.utf8.count))

    init() throws { reference = try ImageReference(parsing: "reg.example/team/app:1") }

    private func logins(_ json: String) throws -> RegistryLogins {
        try RegistryLogins(parsing: json.utf8, of: "config.json")
    }

    private func guarded(_ challenge: String, wants: String) throws -> StubRegistry {
        try StubRegistry { request, registry in
            if request.path == "/token" {
                let isKnown = request.headers["authorization"] == "Basic YW5uYTpnZWhlaW0="
                return isKnown || wants == "Bearer anonymous"
                    ? StubResponse(200, #"{"token":"\#(wants.dropFirst(7))"}"#)
                    : StubResponse(401, #"{"details":"incorrect username or password"}"#)
            }
            if request.headers["authorization"] == wants { return nil }
            return StubResponse(
                401, #"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
                headers: ["WWW-Authenticate": challenge.replacing("HERE", with: "http://\(registry.host)")])
        }
    }

    private static let bearer = #"Bearer realm="HERE/token",service="reg",scope="repository:team/app:pull""#

    @Test func aTokenIsFetchedOnceForAllOfARepository() async throws {
        let registry = try guarded(Self.bearer, wants: "Bearer anonymous")
        _ = try await RegistrySupply(registry.client()).image(reference)
        let tokens = registry.requests.filter { $0.path == "/token" }
        #expect(tokens.map(\.query) == [["service=reg", "scope=repository:team/app:pull"]])
        #expect(tokens.first?.headers["authorization"] == nil)
        #expect(registry.requests.map { $0.headers["authorization"] == nil } == [true, true, false, false, false])
    }

    @Test func aLoginGoesToTheTokenServer() async throws {
        let registry = try guarded(Self.bearer, wants: "Bearer signed")
        let login = try logins(#"{"auths":{"\#(registry.host)":{"auth":"YW5uYTpnZWhlaW0="}}}"#)
        let image = try await RegistrySupply(registry.client(RegistryAccess(logins: login))).image(reference)
        #expect(image != nil)
        #expect(registry.requests.filter { $0.path == "/token" }.count == 1)
    }

    @Test func aRefusedLoginIsNotTriedForEver() async throws {
        let registry = try guarded(Self.bearer, wants: "Bearer signed")
        let login = try logins(#"{"auths":{"\#(registry.host)":{"username":"anna","password":"falsch"}}}"#)
        let error = await #expect(throws: RegistryError.self) {
            try await RegistrySupply(registry.client(RegistryAccess(logins: login))).image(reference)
        }
        #expect(registry.requests.count == 2)
        #expect(error?.description.contains("401 'incorrect username or password'") == true)
        #expect(error?.description.contains("the login for \(registry.host)") == true)
        #expect(error?.description.contains("falsch") == false)
    }

    @Test func withoutALoginTheErrorSaysHowToGiveOne() async throws {
        let registry = try guarded(#"Basic realm="reg""#, wants: "Basic YW5uYTpnZWhlaW0=")
        let error = await #expect(throws: RegistryError.self) {
            try await RegistrySupply(registry.client()).image(reference)
        }
        #expect(error?.description.contains("401 'UNAUTHORIZED: authentication required'") == true)
        #expect(error?.description.contains("--authfile") == true)
        let login = try logins(#"{"auths":{"https://\#(registry.host)/v2/":{"username":"anna","password":"geheim"}}}"#)
        #expect(try await RegistrySupply(registry.client(RegistryAccess(logins: login))).image(reference) != nil)
    }

    @Test func anIdentityTokenIsPosted() async throws {
        let registry = try StubRegistry { request, registry in
            if request.path == "/token" {
                let form = Set(request.text.split(separator: "&").map(String.init))
                let isRight =
                    request.method == "POST" && form.contains("grant_type=refresh_token")
                    && form.contains("refresh_token=a%2Bb")
                return isRight ? StubResponse(200, #"{"access_token":"t"}"#) : StubResponse(400)
            }
            if request.headers["authorization"] == "Bearer t" { return nil }
            return StubResponse(401, headers: ["WWW-Authenticate": #"Bearer realm="http://\#(registry.host)/token""#])
        }
        let login = try logins(#"{"auths":{"\#(registry.host)":{"auth":"","identitytoken":"a+b"}}}"#)
        #expect(try await RegistrySupply(registry.client(RegistryAccess(logins: login))).image(reference) != nil)
    }

    @Test func aRedirectIsFollowedWithoutTheToken() async throws {
        let storage = try StubServer { StubRegistry.part(of: StubRegistry.layer, for: $0) }
        let registry = try StubRegistry { request, registry in
            guard request.path.contains("/blobs/") else { return nil }
            guard request.headers["authorization"] == "Basic YW5uYTpnZWhlaW0=" else {
                return StubResponse(401, headers: ["WWW-Authenticate": "Basic realm=x"])
            }
            return StubResponse(307, headers: ["Location": "http://127.0.0.1:\(storage.port)/blob?signed=1"])
        }
        let login = try logins(#"{"auths":{"\#(registry.host)":{"auth":"YW5uYTpnZWhlaW0="}}}"#)
        let access = RegistryAccess(plainHosts: ["127.0.0.1:\(storage.port)"], logins: login)
        let client = registry.client(access)
        let received = Received()
        try await client.blob(WantedBlob(layer, from: 10), of: client.access.place(of: reference)) { received.take($0) }
        #expect(received.text == String(StubRegistry.layer.dropFirst(10)))
        #expect(storage.requests.map(\.target) == ["/blob?signed=1"])
        #expect(storage.requests.first?.headers["authorization"] == nil)
        #expect(storage.requests.first?.headers["range"] == "bytes=10-")
    }

    @Test func aRedirectWithoutTLSNeedsLeave() async throws {
        let storage = try StubServer { _ in StubResponse(200, StubRegistry.layer) }
        let registry = try StubRegistry { request, _ in
            StubResponse(302, headers: ["Location": "http://127.0.0.1:\(storage.port)/blob"])
        }
        let error = await #expect(throws: RegistryError.self) {
            try await RegistrySupply(registry.client()).image(reference)
        }
        #expect(error?.description.contains("--plain-http 127.0.0.1:\(storage.port)") == true)
        #expect(storage.requests.isEmpty)
    }

    @Test func redirectsInARingEnd() async throws {
        let registry = try StubRegistry { request, _ in StubResponse(302, headers: ["Location": request.target]) }
        let error = await #expect(throws: RegistryError.self) {
            try await RegistrySupply(registry.client()).image(reference)
        }
        #expect(error?.description.contains("leads on and on") == true)
        #expect(registry.requests.count < 20)
    }

    @Test func nobodyIsAskedWithoutTLSWhoWasNotNamed() async throws {
        let registry = try StubRegistry()
        let access = RegistryAccess(mirrors: ["reg.example": registry.host])
        let client = RegistryClient(access) { _ in }
        let error = await #expect(throws: RegistryError.self) { try await RegistrySupply(client).image(reference) }
        #expect(registry.requests.isEmpty)
        #expect(error?.description.contains("--plain-http \(registry.host)") == true)
    }

    @Test func loginsAreFoundByRepositoryThenByHost() throws {
        let logins = try logins(
            """
            {"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"quay.io":{"auth":"Yzpk"},
            "quay.io/team":{"auth":"ZTpm"},"helper.example":{}},"credsStore":"pass"}
            """)
        #expect(logins.login(host: "registry-1.docker.io", repository: "library/a")?.basic == "YTpi")
        #expect(logins.login(host: "quay.io", repository: "other/a")?.basic == "Yzpk")
        #expect(logins.login(host: "quay.io", repository: "team/a")?.basic == "ZTpm")
        #expect(logins.login(host: "quay.io.evil.example", repository: "a") == nil)
        #expect(logins.login(host: "helper.example", repository: "a") == nil)
        #expect("\(logins.login(host: "quay.io", repository: "team/a").map { "\($0)" } ?? "")" == "***")
    }

    @Test(arguments: ["", "{", #"{"auths":[]}"#, #"{"auths":{"a":{"auth":"!"}}}"#, #"{"auths":{"a":{"auth":"YWJj"}}}"#])
    func whatIsNoListOfLoginsIsRefused(text: String) {
        #expect(throws: BundleFault.self) { try logins(text) }
    }

    @Test(arguments: [
        (
            #"Bearer realm="https://a/t",service="s""#,
            [Challenge(scheme: "bearer", parameters: ["realm": "https://a/t", "service": "s"])]
        ),
        ("Basic realm=x", [Challenge(scheme: "basic", parameters: ["realm": "x"])]),
        (
            #"Basic realm="a, b", Bearer realm="c\"d",scope="e f""#,
            [
                Challenge(scheme: "basic", parameters: ["realm": "a, b"]),
                Challenge(scheme: "bearer", parameters: ["realm": "c\"d", "scope": "e f"]),
            ]
        ), ("", []), ("=,=", []),
        (#"Bearer realm="open"#, [Challenge(scheme: "bearer", parameters: ["realm": "open"])]),
    ])
    func challengesAreRead(header: String, expected: [Challenge]) {
        #expect(Challenge.all(in: header) == expected)
    }
}
