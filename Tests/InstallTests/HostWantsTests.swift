import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct HostWantsTests {
    private let wanted = File("/etc/a", "x", permissions: .ownerReadWrite, owner: Owner(user: 5, group: 6))

    private func changes(on host: ScriptedHost) async throws -> Int {
        try await host.host.wants(wanted, because: "so").count
    }

    @Test func aFileThatStandsAsItShouldIsLeftAlone() async throws {
        let host = ScriptedHost()
        #expect(try await changes(on: host) == 1)
        host.place(.file(wanted), at: "/etc/a")
        #expect(try await changes(on: host) == 0)
    }

    @Test func contentModeOwnerAndKindAllCount() async throws {
        for spoil: @Sendable (inout File) -> Void in [
            { $0.contents = [] }, { $0.permissions = [.ownerReadWrite, .otherRead] }, { $0.owner = .root },
        ] {
            var file = wanted
            spoil(&file)
            let host = ScriptedHost()
            host.place(.file(file), at: "/etc/a")
            #expect(try await changes(on: host) == 1, "\(file)")
        }
        let host = ScriptedHost()
        host.place(.file(wanted), at: "/etc/b")
        host.place(.link(to: "/etc/b"), at: "/etc/a")
        #expect(try await changes(on: host) == 1)
    }

    @Test func aFolderThatStandsKeepsOwnerAndMode() async throws {
        let host = ScriptedHost()
        let folder = Directory("/srv/a", permissions: .ownerReadWriteExecute)
        #expect(try await host.host.wants(folder, because: "so").count == 1)
        host.place(.directory(.otherReadWriteExecute, Owner(user: 5, group: 6)), at: "/srv/a")
        #expect(try await host.host.wants(folder, because: "so").isEmpty)
    }

    @Test func aSettingOfTheKernelIsANumber() async throws {
        let host = ScriptedHost(files: ["/proc/sys/net/ipv4/ip_forward": "1\n", "/proc/sys/kernel/hostname": "Head\n"])
        #expect(try await host.host.sysctl("net.ipv4.ip_forward") == 1)
        #expect(try await host.host.sysctl("net.none") == nil)
        #expect(try await host.host.hostname() == "Head")
    }
}

@Suite struct HubSecretsTests {
    @Test func theyAreLongAndNeverTwice() throws {
        let secrets = (0..<20).map { _ in HubSecrets.fresh(password: "p", namespace: "jhub") }
        #expect(Set(secrets).count == 20)
        let data = try #require(secrets[0].object["data"]?.object)
        #expect(data.keys.sorted() == ["admin-password", "cookie-secret", "crypt-key", "proxy-token"])
        for key in ["cookie-secret", "crypt-key", "proxy-token"] {
            let text = String(decoding: data[key]?.string.flatMap(Base64.decoded) ?? [], as: UTF8.self)
            #expect(text.count == 64 && text.allSatisfy(\.isHexDigit))
        }
        #expect("\(secrets[0])" == "jhub Secret/jhub-install")
    }

    @Test func aPasswordCanBeCopiedFromAScreen() {
        let passwords = (0..<50).map { _ in Random.password() }
        #expect(Set(passwords).count == 50)
        for password in passwords {
            #expect(password.count == 20 && password.allSatisfy { $0.isASCII && !"l1I0O".contains($0) })
        }
    }
}
