import FoundationEssentials
import Images
import Synchronization
import TestSupport

@testable import Bundles

/// A registry with one image, of which a test says what is odd about it.
final class StubRegistry: Sendable {
    typealias Answer = @Sendable (StubRequest, StubRegistry) -> StubResponse?

    static let layer = String(repeating: "0123456789", count: 5_000)
    static let config =
        #"{"os":"linux","architecture":"amd64","created":"2024-05-06T07:08:09Z","rootfs":{"type":"layers","diff_ids":["\#(digest(layer))"]}}"#
    static let manifest = manifest(of: config)
    static let index =
        #"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":["#
        + entry(manifest, "arm64", digest("other")) + "," + entry(manifest, "amd64", digest(manifest)) + "]}"

    private let box = Mutex<StubServer?>(nil)
    private let answer: Answer

    /// What `answer` is silent about is answered as a registry does that wants no login.
    init(_ answer: @escaping Answer = { _, _ in nil }) throws {
        self.answer = answer
        let server = try StubServer { [self] request in
            self.answer(request, self) ?? Self.plain(request)
        }
        box.withLock { $0 = server }
    }

    var server: StubServer? { box.withLock { $0 } }
    var host: String { "127.0.0.1:\(server?.port ?? 0)" }
    var requests: [StubRequest] { server?.requests ?? [] }

    /// Asks it for images under a registry name of its own.
    func client(_ access: RegistryAccess = RegistryAccess(), pauses: Pauses = Pauses()) -> RegistryClient {
        var access = access
        access.mirrors["reg.example"] = host
        access.plainHosts.insert(host)
        return RegistryClient(access) { pauses.note($0) }
    }

    static func plain(_ request: StubRequest) -> StubResponse {
        let last = request.path.split(separator: "/").last.map(String.init) ?? ""
        let digests = [layer, config, manifest, index].map { (digest($0), $0) }
        if ["1", digest(index)].contains(last), request.path.contains("/manifests/") {
            return StubResponse(
                200, index, headers: ["Content-Type": "application/vnd.docker.distribution.manifest.list.v2+json"])
        }
        if last == digest(manifest), request.path.contains("/manifests/") {
            return StubResponse(
                200, manifest, headers: ["Content-Type": "application/vnd.docker.distribution.manifest.v2+json"])
        }
        guard request.path.contains("/blobs/"), let text = digests.first(where: { $0.0 == last })?.1 else {
            return StubResponse(404, #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
        }
        return part(of: text, for: request)
    }

    static func part(of text: String, for request: StubRequest) -> StubResponse {
        guard let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast()) else {
            return StubResponse(200, text)
        }
        return StubResponse(
            206, String(text.dropFirst(start)),
            headers: ["Content-Range": "bytes \(start)-\(text.count - 1)/\(text.count)"])
    }

    static func manifest(of config: String, layers: [String] = [layer]) -> String {
        let entries = layers.map {
            #"{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":\#($0.utf8.count),"digest":"\#(digest($0))"}"#
        }
        return #"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":"#
            + #"{"mediaType":"application/vnd.docker.container.image.v1+json","size":\#(config.utf8.count),"digest":"\#(digest(config))"},"#
            + #""layers":[\#(entries.joined(separator: ","))]}"#
    }

    static func digest(_ text: String) -> String { "\(Digest(of: text.utf8))" }

    private static func entry(_ manifest: String, _ architecture: String, _ digest: String) -> String {
        #"{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":\#(manifest.utf8.count),"digest":"\#(digest)","#
            + #""platform":{"os":"linux","architecture":"\#(architecture)"}}"#
    }
}

/// How long a client would have waited.
final class Pauses: Sendable {
    private let noted = Mutex<[Duration]>([])
    var all: [Duration] { noted.withLock { $0 } }
    func note(_ pause: Duration) { noted.withLock { $0.append(pause) } }
}

/// What came of a blob.
final class Received: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    func take(_ more: [UInt8]) { bytes.withLock { $0 += more } }
}
