package import SystemPackage

/// A machine to log in to, and how.
package struct SSHTarget: Sendable {
    /// A way to show who we are. RSA keys are of no use: libssh2 1.10 signs with SHA-1, which OpenSSH refuses since 8.8.
    package enum Login: Sendable {
        case key(FilePath, passphrase: Secret?)
        /// The socket of an agent that holds the keys.
        case agent(FilePath)
        /// Said where the host asks for a password, and where it asks one question without echo.
        case password(Secret)
    }

    /// How to become root; all is done as root then, or as the user who logs in.
    package enum Sudo: Sendable {
        case none, withoutPassword
        case withPassword(Secret)
    }

    /// After what time it is an error.
    package struct Limits: Sendable {
        /// Until the port answers, for each of the name's addresses.
        package var connect: Duration = .seconds(10)
        /// Until the host has agreed on keys, and then until it has let us in.
        package var login: Duration = .seconds(30)
        /// Without a byte from a host that is asked for a sign of life three times in this time.
        package var silence: Duration = .seconds(30)
        /// For one file to be read or written, or whatever else is no command.
        package var request: Duration = .seconds(600)

        package init() {}
    }

    /// A name or an IP address.
    package var address: String
    package var port: UInt16
    package var user: String
    /// Tried in this order.
    package var logins: [Login]
    /// The only key that the host may show. Without one, opening throws what the host shows.
    package var hostKey: Fingerprint?
    package var sudo: Sudo
    /// All that crosses is compressed (zlib), where the host's sshd offers it.
    package var compresses = false
    /// Gone through in this order, each with its own key and logins.
    package var jumps: [SSHTarget]
    package var limits = Limits()

    package init(
        _ address: String, port: UInt16 = 22, user: String = "root", logins: [Login], hostKey: Fingerprint?,
        sudo: Sudo = .none, jumps: [SSHTarget] = []
    ) {
        (self.address, self.port, self.user, self.logins) = (address, port, user, logins)
        (self.hostKey, self.sudo, self.jumps) = (hostKey, sudo, jumps)
    }
}
