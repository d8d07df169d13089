import Hosts
package import SystemPackage

/// Debian's docker-registry on loopback; all that it has is in one folder. It does not know of us.
package struct RealRegistry: Sendable {
    /// With its port.
    package let host: String
    /// The certificate, as PEM, of the authority that vouches for it; nil where it speaks without TLS.
    package let authority: FilePath?

    package static func with(
        in folder: FilePath, hasTLS: Bool = false, _ body: (RealRegistry) async throws -> Void
    ) async throws {
        let transport = LocalTransport()
        let port = try StubServer.freePort()
        let keys = hasTLS ? "tls: {certificate: \(folder)/server.pem, key: \(folder)/server.key}" : ""
        let config = """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(folder)/registry}}
            http: {addr: "127.0.0.1:\(port)", \(keys)}

            """
        let made = try await transport.run(
            Command(["sh", "-ec", certificates, "sh", folder.string], input: Array(config.utf8)))
        guard made.status == 0 else { throw Failure(description: "openssl: \(made.errors)") }
        let server = Task { try await transport.run(["docker-registry", "serve", "\(folder)/registry.yml"]) }
        defer { server.cancel() }
        for _ in 0..<200 {
            if try await transport.run(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"]).status == 0 {
                return try await body(
                    RealRegistry(
                        host: "127.0.0.1:\(port)", authority: hasTLS ? folder.appending("authority.pem") : nil))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(description: "docker-registry does not answer; scripts/install-packages installs it")
    }

    /// Pushes an image of an archive that Docker could have saved.
    package func push(_ name: String, from archive: FilePath, as form: String = "v2s2") async throws {
        let copy: Command = [
            "skopeo", "--insecure-policy", "copy", "--quiet", "--format", form, "--dest-tls-verify=false",
            "docker-archive:\(archive):docker.io/\(name)", "docker://\(host)/\(name)",
        ]
        let outcome = try await LocalTransport().run(copy)
        guard outcome.status == 0 else { throw Failure(description: "skopeo: \(outcome.errors)") }
    }

    private struct Failure: Error, CustomStringConvertible { var description: String }

    /// The configuration comes over standard input.
    private static let certificates = """
        mkdir -p "$1" && cd "$1"
        cat >registry.yml
        key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        openssl req -x509 $key -keyout authority.key -out authority.pem -subj /CN=authority
        openssl req -x509 $key -CA authority.pem -CAkey authority.key -keyout server.key -out server.pem \\
            -subj /CN=registry -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE
        """
}
