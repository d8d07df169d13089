import FoundationEssentials
import HTTP
import Images
import TestSupport
import Testing

@testable import Bundles

@Suite struct RegistryTests {
    private let reference: ImageReference
    private let layer = Blob(digest: Digest(of: StubRegistry.layer.utf8), size: Int64(StubRegistry.layer.utf8.count))

    init() throws { reference = try ImageReference(parsing: "reg.example/team/app:1") }

    private func fetchLayer(_ client: RegistryClient, from offset: Int64 = 0) async throws -> String {
        let received = Received()
        try await client.blob(WantedBlob(layer, from: offset), of: client.access.place(of: reference)) {
            received.take($0)
        }
        return received.text
    }

    @Test func anIndexIsCutToOurPlatformAndKeepsItsDigest() async throws {
        let registry = try StubRegistry()
        let image = try #require(try await RegistrySupply(registry.client()).image(reference))
        #expect(image.target.digest == Digest(of: StubRegistry.index.utf8))
        #expect(image.mediaType == "application/vnd.docker.distribution.manifest.list.v2+json")
        let texts = [StubRegistry.index, StubRegistry.manifest, StubRegistry.config, StubRegistry.layer]
        #expect(image.blobs == texts.map { Blob(digest: Digest(of: $0.utf8), size: Int64($0.utf8.count)) })
        #expect(image.config == Digest(of: StubRegistry.config.utf8))
        #expect(
            image.documents.values.map { Digest(of: $0) }.sorted { $0.hex < $1.hex }
                == image.documents.keys.sorted { $0.hex < $1.hex })
        #expect(registry.requests.first?.target == "/v2/team/app/manifests/1")
        #expect(registry.requests.first?.headers["accept"]?.contains("application/vnd.oci.image.index.v1+json") == true)
        #expect(registry.requests.allSatisfy { !$0.target.contains(StubRegistry.digest("other")) })
    }

    @Test func aDigestIsAskedForAndProved() async throws {
        let wanted = try ImageReference(parsing: "reg.example/team/app@\(StubRegistry.digest(StubRegistry.index))")
        let good = try StubRegistry()
        #expect(try await RegistrySupply(good.client()).image(wanted)?.target.digest == wanted.digest)
        #expect(good.requests.first?.target == "/v2/team/app/manifests/\(StubRegistry.digest(StubRegistry.index))")

        let liar = try StubRegistry { request, _ in
            request.path.hasSuffix(StubRegistry.digest(StubRegistry.index)) ? StubResponse(200, "{}") : nil
        }
        let error = await #expect(throws: RegistryError.self) { try await RegistrySupply(liar.client()).image(wanted) }
        #expect(error?.description.contains("its bytes have the digest \(StubRegistry.digest("{}"))") == true)
    }

    @Test func aMirrorMayPutThingsBelowAFolder() throws {
        let access = RegistryAccess(
            mirrors: ["docker.io": "mirror.example:5000/hub"], plainHosts: ["mirror.example:5000"])
        let busybox = access.place(of: try ImageReference(parsing: "busybox:1"))
        #expect(busybox.url("manifests", "1") == "http://mirror.example:5000/v2/hub/library/busybox/manifests/1")
        let other = access.place(of: try ImageReference(parsing: "quay.io/a/b:1"))
        #expect(other.url("blobs", "x") == "https://quay.io/v2/a/b/blobs/x")
        let docker = RegistryAccess().place(of: try ImageReference(parsing: "busybox:1"))
        #expect(docker.url("tags", "list") == "https://registry-1.docker.io/v2/library/busybox/tags/list")
    }

    @Test func aBlobThatIsCutIsGoneOnWith() async throws {
        let size = StubRegistry.layer.count
        let registry = try StubRegistry { request, registry in
            guard request.path.contains("/blobs/"), registry.requests.count < 3 else { return nil }
            let start = request.headers["range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
            var answer = StubRegistry.part(of: StubRegistry.layer, for: request)
            (answer.pieces, answer.isCut) = ([String(StubRegistry.layer.dropFirst(start).prefix(7_000))], true)
            return answer
        }
        #expect(try await fetchLayer(registry.client()) == StubRegistry.layer)
        #expect(registry.requests.map { $0.headers["range"] } == [nil, "bytes=7000-", "bytes=14000-"])
        #expect(size > 14_000)
    }

    @Test func anEarlierRunsPartIsNotFetchedAgain() async throws {
        let registry = try StubRegistry()
        #expect(try await fetchLayer(registry.client(), from: 100) == String(StubRegistry.layer.dropFirst(100)))
        #expect(registry.requests.map { $0.headers["range"] } == ["bytes=100-"])
    }

    @Test func aServerWithoutRangesSendsAllAndTheRestIsTaken() async throws {
        let registry = try StubRegistry { request, _ in
            request.path.contains("/blobs/") ? StubResponse(200, StubRegistry.layer) : nil
        }
        #expect(try await fetchLayer(registry.client(), from: 100) == String(StubRegistry.layer.dropFirst(100)))
    }

    @Test func anotherRangeThanTheOneAskedForIsNoAnswer() async throws {
        let registry = try StubRegistry { request, _ in
            request.headers["range"] == nil
                ? nil : StubResponse(206, "x", headers: ["Content-Range": "bytes 0-1/50000"])
        }
        let error = await #expect(throws: RegistryError.self) { try await fetchLayer(registry.client(), from: 100) }
        #expect(error?.description.contains("answers the range 'bytes 0-1/50000'") == true)
    }

    @Test func moreBytesThanTheManifestSaysAreRefused() async throws {
        let registry = try StubRegistry { request, _ in
            request.path.contains("/blobs/") ? StubResponse(200, StubRegistry.layer + "x") : nil
        }
        let error = await #expect(throws: RegistryError.self) { try await fetchLayer(registry.client()) }
        #expect(error?.description.contains("more than \(layer.size) bytes came") == true)
    }

    @Test(arguments: [
        (["Retry-After": "7"], Duration.seconds(7)), ([:], Duration.milliseconds(500)),
        (["Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"], Duration.zero),
    ])
    func whoIsToldToWaitWaits(headers: [String: String], pause: Duration) async throws {
        let registry = try StubRegistry { _, registry in
            registry.requests.count == 1 ? StubResponse(429, "slowly", headers: headers) : nil
        }
        let pauses = Pauses()
        #expect(try await fetchLayer(registry.client(pauses: pauses)) == StubRegistry.layer)
        #expect(pauses.all == [pause])
    }

    @Test func aDateToWaitForCountsFromNow() {
        let now = Date(timeIntervalSince1970: 1_445_412_480)  // 2015-10-21T07:28:00Z
        let answer = HTTPResponse(status: 503, headers: ["retry-after": "Wed, 21 Oct 2015 07:29:30 GMT"])
        #expect(answer.retryAfter(now: now) == .seconds(90))
        #expect(HTTPResponse(status: 503, headers: ["retry-after": "soon"]).retryAfter() == nil)
    }

    @Test func patienceEnds() async throws {
        let registry = try StubRegistry { _, _ in StubResponse(503, "<html>busy</html>") }
        let pauses = Pauses()
        let error = await #expect(throws: RegistryError.self) { try await fetchLayer(registry.client(pauses: pauses)) }
        #expect(registry.requests.count == RegistryClient.mostFailures)
        #expect(pauses.all == [0.5, 1, 2, 4, 8].map { .milliseconds(Int($0 * 1000)) })
        #expect(
            error?.description
                == "could not fetch the layer \(layer.digest) of \(reference) from \(registry.host): "
                + "it says 503 '<html>busy</html>'; run the same command again when it is well; what was fetched stays")
    }

    @Test func aRegistryThatWantsAnHourIsNotWaitedFor() async throws {
        let registry = try StubRegistry { _, _ in StubResponse(429, headers: ["Retry-After": "3600"]) }
        let pauses = Pauses()
        await #expect(throws: RegistryError.self) { try await fetchLayer(registry.client(pauses: pauses)) }
        #expect(registry.requests.count == 1 && pauses.all.isEmpty)
    }

    @Test func anImageThatIsNotThereIsToldFromOneThatCannotBeHad() async throws {
        let absent = try ImageReference(parsing: "reg.example/team/app:2")
        let registry = try StubRegistry()
        let error = await #expect(throws: RegistryError.self) {
            try await RegistrySupply(registry.client()).image(absent)
        }
        #expect(error?.isAbsent == true)
        #expect(
            error?.description
                == "could not fetch the manifest '2' of \(absent) from \(registry.host): it says 404 "
                + "'MANIFEST_UNKNOWN: manifest unknown'; there is no such image there: compare name and tag in the "
                + "config with what the registry has")
    }

    @Test func anImageForOtherMachinesIsRefused() async throws {
        let config = StubRegistry.config.replacing("amd64", with: "arm64")
        let registry = try StubRegistry { request, _ in
            if request.path.contains("/manifests/") { return StubResponse(200, StubRegistry.manifest(of: config)) }
            return request.path.hasSuffix(StubRegistry.digest(config)) ? StubResponse(200, config) : nil
        }
        let fault = await #expect(throws: BundleFault.self) {
            try await RegistrySupply(registry.client()).image(reference)
        }
        #expect(fault?.description.contains("is for linux/arm64, and only linux/amd64 runs here") == true)
    }

    @Test(arguments: ["", "{", "[]", #"{"schemaVersion":1}"#, #"{"manifests":[]}"#, #"{"config":1,"layers":[]}"#])
    func nonsenseIsNoManifest(text: String) async throws {
        let registry = try StubRegistry { _, _ in StubResponse(200, text) }
        let fault = await #expect(throws: BundleFault.self) {
            try await RegistrySupply(registry.client()).image(reference)
        }
        #expect(fault?.description.contains("\n") == false)
    }

    @Test func dockersSchema1IsNamed() async throws {
        let registry = try StubRegistry { _, _ in
            StubResponse(
                200, "{}", headers: ["Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"])
        }
        let fault = await #expect(throws: BundleFault.self) {
            try await RegistrySupply(registry.client()).image(reference)
        }
        #expect(fault?.description.contains("Docker's schema 1") == true)
    }
}
