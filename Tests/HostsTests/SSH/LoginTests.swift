import Hosts
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: SSHServer.canRun, "needs root")) struct LoginTests {
    private let server = SSHServer.shared

    private func key(_ name: String, _ passphrase: String? = nil) async throws -> SSHTarget.Login {
        .key(try await server.folder.appending(name), passphrase: passphrase.map(Secret.init))
    }

    private func output(_ command: Command, of target: SSHTarget) async throws -> String {
        let host = try await SSHTransport.open(target)
        let outcome = try await host.run(command)
        await host.close()
        return outcome.output
    }

    /// Why nobody gets in, which is one line without a secret.
    private func failure(_ target: SSHTarget) async throws -> SSHError {
        let error = await #expect(throws: SSHError.self) { try await SSHTransport.open(target).close() }
        let found = try #require(error)
        #expect(!["\n", "horse", "sesame"].contains { "\(found)".contains($0) })
        return found
    }

    @Test(arguments: [("ed25519", nil), ("ecdsa", nil), ("locked", "open sesame")])
    func aKeyLogsIn(name: String, passphrase: String?) async throws {
        let target = try await server.target("amy", [key(name, passphrase)])
        #expect(try await output(["id", "-un"], of: target) == "amy\n")
    }

    @Test func anAgentLogsIn() async throws {
        let target = try await server.target("amy", [.agent(server.folder.appending("agent"))])
        #expect(try await output(["id", "-un"], of: target) == "amy\n")
    }

    @Test(arguments: ["eve", "kim"])
    func aPasswordLogsInEitherWay(user: String) async throws {
        let target = try await server.target(user, [.password(Secret("right horse"))])
        #expect(try await output(["id", "-un"], of: target) == "\(user)\n")
    }

    @Test func theNextWayIsTriedWhereOneIsRefused() async throws {
        let target = try await server.target("eve", [key("ed25519"), .password(Secret("right horse"))])
        #expect(try await output(["id", "-un"], of: target) == "eve\n")
    }

    @Test(arguments: [
        ("locked", nil, "is locked, and no passphrase was given"),
        ("locked", "wrong horse", "the passphrase does not open the key"),
        ("rsa", nil, "is an RSA key, with which this program cannot log in; make another: ssh-keygen -t ed25519"),
        ("absent", nil, "cannot be read: No such file or directory"),
        ("sshd_config", nil, "is no private key"),
    ])
    func aKeyThatDoesNotDoSaysWhy(name: String, passphrase: String?, reason: String) async throws {
        let error = try await failure(server.target("amy", [key(name, passphrase)]))
        #expect(error.kind == .loginRefused && error.attempt == "log in as amy")
        #expect(error.reason.contains(reason) && error.reason.contains("/\(name)"), "\(error)")
    }

    @Test func everyRefusalIsNamed() async throws {
        let logins = [
            try await key("ed25519"), .agent(try await server.folder.appending("agent")), .agent("/no/agent"),
            .password(Secret("wrong horse")),
        ]
        let reason = try await failure(server.target("eve", logins)).reason
        for part in [
            "it refuses the key", "it refuses the keys of the agent (1)", "no agent at /no/agent",
            "refuses the password",
        ] {
            #expect(reason.contains(part), "\(reason)")
        }
        #expect(try await failure(server.target("eve", [])).reason.contains("nothing to log in with was given"))
        let wrong = try await failure(server.target("kim", [.password(Secret("wrong horse"))]))
        #expect(wrong.reason.contains("it refuses the password"))
        let nobody = try await failure(server.target("mallory", [.password(Secret("right horse"))]))
        #expect(nobody.kind == .loginRefused && nobody.reason.contains("it refuses the password"))
    }

    @Test(arguments: [("amy", SSHTarget.Sudo.withoutPassword), ("bob", .withPassword(Secret("right horse")))])
    func sudoMakesRoot(user: String, sudo: SSHTarget.Sudo) async throws {
        #expect(try await output(["id", "-un"], of: server.target(user, sudo: sudo)) == "root\n")
    }

    @Test(arguments: [
        ("bob", SSHTarget.Sudo.withoutPassword, "a password is required"),
        ("bob", .withPassword(Secret("wrong horse")), "sudo refuses the password"),
        ("kim", .withPassword(Secret("right horse")), "kim is not in the sudoers file"),
    ])
    func refusedSudoSaysWhy(user: String, sudo: SSHTarget.Sudo, reason: String) async throws {
        let error = try await failure(
            server.target(user, [.password(Secret("right horse")), key("ed25519")], sudo: sudo))
        #expect(error.kind == .sudoRefused && error.reason.contains(reason), "\(error)")
    }

    @Test func sudoThatAsksNothingIsGivenNothing() async throws {
        let target = try await server.target("amy", sudo: .withPassword(Secret("right horse")))
        #expect(try await output(["cat"], of: target) == "")
    }

    @Test func noProcessShowsThePassword() async throws {
        let look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -ac 'right hors[e]'"
        let host = try await server.bob
        #expect(try await host.run(["sh", "-c", look]).output == "0\n")
    }

    @Test func aUserWithoutAShellIsOfNoUse() async throws {
        let error = try await failure(server.target("nils"))
        #expect(error.kind == .unusable && error.reason.contains("This account is currently not available."))
    }
}
