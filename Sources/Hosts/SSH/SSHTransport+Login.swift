import CSSH2
import Glibc
import SystemPackage

extension SSHTransport {
    /// Tries one way after the other.
    func logIn() async throws(SSHError) {
        let attempt = "log in as \(target.user)"
        let deadline = ContinuousClock.now + target.limits.login
        guard let offered = try await methods(until: deadline) else { return }
        var refusals: [String] = []
        for login in target.logins {
            guard let refusal = await refusal(of: login, offered, until: deadline) else { return }
            refusals.append(refusal)
            if wire.fault != nil { throw SSHError(.loginRefused, name, attempt, "\(refusal), and it hung up") }
            if deadline <= .now {
                throw SSHError(
                    .loginRefused, name, attempt, "no answer within \(target.limits.login.components.seconds) s")
            }
        }
        if refusals.isEmpty { refusals = ["nothing to log in with was given"] }
        throw SSHError(.loginRefused, name, attempt, refusals.joined(separator: "; ") + " (it takes \(offered))")
    }

    /// What the host takes, or nil where it has let us in without.
    private func methods(until deadline: ContinuousClock.Instant) async throws(SSHError) -> String? {
        while true {
            let list = step { libssh2_userauth_list(session.raw, target.user, UInt32(target.user.utf8.count)) }
            if let list { return String(cString: list) }
            if libssh2_userauth_authenticated(session.raw) != 0 { return nil }
            guard libssh2_session_last_errno(session.raw) == LIBSSH2_ERROR_EAGAIN, deadline > .now else {
                throw SSHError(.loginRefused, name, "log in as \(target.user)", complaint)
            }
            await turn(until: deadline)
        }
    }

    /// Why it did not do, or nil where we are in.
    private func refusal(
        of login: SSHTarget.Login, _ offered: String, until deadline: ContinuousClock.Instant
    ) async -> String? {
        switch login {
        case .key(let path, let passphrase): await refusal(ofKey: path, passphrase, until: deadline)
        case .agent(let path): await refusal(ofAgent: path, until: deadline)
        case .password(let password): await refusal(of: password, offered, until: deadline)
        }
    }

    private func refusal(
        ofKey path: FilePath, _ passphrase: Secret?, until deadline: ContinuousClock.Instant
    ) async -> String? {
        let text: String
        do throws(Errno) {
            text = String(decoding: try OpenFile(path, O_RDONLY).readAll(upTo: 1 << 20), as: UTF8.self)
        } catch {
            return "the key \(path) cannot be read: \(error)"
        }
        let key = PrivateKey(text)
        if key.isRSA {
            return "\(path) is an RSA key, with which this program cannot log in; make another: ssh-keygen -t ed25519"
        }
        if key.isEncrypted && passphrase == nil { return "the key \(path) is locked, and no passphrase was given" }
        let code = await patiently(until: deadline) {
            libssh2_userauth_publickey_frommemory(
                session.raw, target.user, target.user.utf8.count, nil, 0, text, text.utf8.count, passphrase?.reveal())
        }
        switch code {
        case 0: return nil
        case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
            return "it refuses the key \(path); its public half belongs into ~\(target.user)/.ssh/authorized_keys"
        default:
            // It has one code for many faults of the file; those of the connection it does not come to.
            if wire.fault != nil || code == LIBSSH2_ERROR_EAGAIN { return "the key \(path): \(complaint)" }
            return key.isEncrypted
                ? "the passphrase does not open the key \(path)" : "\(path) is no private key (\(complaint))"
        }
    }

    private func refusal(ofAgent path: FilePath, until deadline: ContinuousClock.Instant) async -> String? {
        let agent = Agent(session.raw)
        guard agent.connect(to: path) else { return "there is no agent at \(path)" }
        var identity: UnsafeMutablePointer<libssh2_agent_publickey>?
        var count = 0
        while libssh2_agent_get_identity(agent.raw, &identity, identity) == 0 {
            count += 1
            let code = await patiently(until: deadline) { libssh2_agent_userauth(agent.raw, target.user, identity) }
            if code == 0 { return nil }
        }
        return "it refuses the keys of the agent (\(count))"
    }

    private func refusal(
        of password: Secret, _ offered: String, until deadline: ContinuousClock.Instant
    ) async -> String? {
        let user = target.user
        if offered.contains("password") {
            let text = password.reveal()
            let code = await patiently(until: deadline) {
                libssh2_userauth_password_ex(
                    session.raw, user, UInt32(user.utf8.count), text, UInt32(text.utf8.count), nil)
            }
            if code == 0 { return nil }
            if code == LIBSSH2_ERROR_PASSWORD_EXPIRED { return "the password has expired" }
        }
        guard offered.contains("keyboard-interactive") else {
            return offered.contains("password") ? "it refuses the password" : "it takes no password"
        }
        var isAsked = false
        // A second question is another one: a wrong password, a code, a new password.
        wire.answer = {
            defer { isAsked = true }
            return isAsked ? nil : password.reveal()
        }
        defer { wire.answer = nil }
        let code = await patiently(until: deadline) {
            libssh2_userauth_keyboard_interactive_ex(session.raw, user, UInt32(user.utf8.count), answerQuestions)
        }
        return code == 0 ? nil : "it refuses the password"
    }
}

/// libssh2 frees the answers.
private let answerQuestions:
    @convention(c) (
        UnsafePointer<CChar>?, Int32, UnsafePointer<CChar>?, Int32, Int32,
        UnsafePointer<LIBSSH2_USERAUTH_KBDINT_PROMPT>?, UnsafeMutablePointer<LIBSSH2_USERAUTH_KBDINT_RESPONSE>?,
        Wire.Abstract
    ) -> Void = { _, _, _, _, count, prompts, responses, abstract in
        guard let prompts, let responses, let wire = Wire.of(abstract) else { return }
        for index in 0..<Int(count) where prompts[index].echo == 0 {
            guard let answer = wire.answer?() else { continue }
            responses[index].text = strdup(answer)
            responses[index].length = UInt32(answer.utf8.count)
        }
    }

/// libssh2's connection to an agent, which it must not outlive the session of.
private struct Agent: ~Copyable {
    let raw: OpaquePointer

    init(_ session: OpaquePointer) { raw = libssh2_agent_init(session)! }

    /// False where nobody answers at the path.
    func connect(to path: FilePath) -> Bool {
        libssh2_agent_set_identity_path(raw, path.string)
        return libssh2_agent_connect(raw) == 0 && libssh2_agent_list_identities(raw) == 0
    }

    deinit {
        libssh2_agent_disconnect(raw)
        libssh2_agent_free(raw)
    }
}
