import Hosts
import SystemPackage
import TestSupport
import Testing

@Suite struct FingerprintTests {
    @Test func isReadAsOpenSSHPrintsIt() {
        let text = "SHA256:N4FTTR0QCtiW/pc0ciYhzJ6xYbIg+PiHiUmAtgL8jOc"
        #expect(Fingerprint(text)?.description == text)
    }

    @Test(arguments: [
        "", "SHA256:", "N4FTTR0QCtiW/pc0ciYhzJ6xYbIg+PiHiUmAtgL8jOc",
        "SHA256:N4FTTR0QCtiW/pc0ciYhzJ6xYbIg+PiHiUmAtgL8jO", "SHA256:N4FTTR0QCtiW/pc0ciYhzJ6xYbIg+PiHiUmAtgL8jOc=",
        "SHA256:N4FTTR0QCtiW/pc0ciYhzJ6xYbIg+PiHiUmAtgL8jOd", "SHA256:N4FTTR0QCtiW/pc0ciYhzJ6xYbIg-PiHiUmAtgL8jOc",
        "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    ])
    func nothingElseIs(text: String) {
        #expect(Fingerprint(text) == nil)
    }
}

@Suite(.enabled(if: SSHServer.canRun, "needs root")) struct HostKeyTests {
    private let server = SSHServer.shared
    private let stranger = Fingerprint("SHA256:N4FTTR0QCtiW/pc0ciYhzJ6xYbIg+PiHiUmAtgL8jOc")

    private func shown() async throws -> [HostKey] {
        [
            HostKey(type: "ssh-ed25519", fingerprint: try await server.hostKey("ed25519")),
            HostKey(type: "ecdsa-sha2-nistp256", fingerprint: try await server.hostKey("ecdsa")),
        ]
    }

    @Test func aScanFindsEveryKey() async throws {
        #expect(try await HostKeys.scan("127.0.0.1", port: server.port) == shown())
    }

    @Test func anyOfTheHostsKeysMayBePinned() async throws {
        var target = try await server.target()
        target.hostKey = try await server.hostKey("ecdsa")
        let host = try await SSHTransport.open(target)
        #expect(try await host.run(["true"]) == Outcome())
        await host.close()
    }

    @Test func anUnknownKeyStopsUsBeforeTheLogin() async throws {
        var target = try await server.target("root", [.password(Secret("right horse"))])
        target.hostKey = nil
        let error = await #expect(throws: SSHError.self) { try await SSHTransport.open(target) }
        #expect(error?.kind == .hostKeyUnknown(shown: try await shown()))
        #expect(
            error?.reason.contains("no host key is pinned; it shows \(try await server.hostKey("ed25519"))") == true)
    }

    @Test func aChangedKeyStopsUsWithBothFingerprints() async throws {
        var target = try await server.target("root", [.password(Secret("right horse"))])
        target.hostKey = stranger
        let error = await #expect(throws: SSHError.self) { try await SSHTransport.open(target, name: "node7") }
        let pinned = try #require(stranger)
        #expect(error?.kind == .hostKeyChanged(pinned: pinned, shown: try await shown()))
        let line = error?.description ?? ""
        #expect(line.hasPrefix("node7: could not trust it: pinned is \(pinned), but it shows "))
        for key in try await shown() { #expect(line.contains(key.description)) }
        // Nobody tried to log in.
        let log = try await LocalTransport().read(server.folder.appending("sshd.log")) ?? []
        #expect(!String(decoding: log, as: UTF8.self).contains("Failed password for root"))
    }
}
