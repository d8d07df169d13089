import Hosts
import SystemPackage

/// Nginx' certificate, where the operator has one: a self-signed one is made otherwise.
struct WebCertificate: Check {
    let id = "app.tls"
    let title = "The web certificate is whole, matches, and lasts"

    func finding(on site: Site) async throws -> Finding {
        let needs = "readable, key and names match, 30 days"
        let settings = site.settings
        guard settings.enableNginxProxy else { return .passed("no Nginx asked for", needs: needs) }
        guard let file = settings.nginxProxyCertFile, let keyFile = settings.nginxProxyKeyFile else {
            let isHalf = settings.nginxProxyCertFile != nil || settings.nginxProxyKeyFile != nil
            guard isHalf else { return .passed("none given: one is signed here", needs: needs) }
            return .failed(
                "only one of certificate and key is given", needs: needs,
                fix: "set both NGINX_PROXY_CERT_FILE and NGINX_PROXY_KEY_FILE, or neither")
        }
        for path in [file, keyFile] where try await !site.head.has(path) {
            return .failed("there is no \(path)", needs: needs, fix: "put it there, or mend the path in jhub.env")
        }
        guard try await site.head.program("openssl") != nil else {
            return .unknown(
                because: "could not be measured: there is no openssl", needs: needs, fix: "apt install openssl")
        }
        let certificate: Certificate.Value
        do {
            certificate = try await site.head.learn(Certificate(at: file))
        } catch {
            return .failed(
                "\(error)", needs: needs, fix: "the file must be PEM: the site's certificate first, then its chain")
        }
        guard let key = try await publicKey(of: keyFile, on: site.head) else {
            return .failed(
                "openssl cannot read the key \(keyFile)", needs: needs,
                fix: "it must be PEM and without a passphrase: openssl pkey -in OLD -out NEW")
        }
        guard key == certificate.key else {
            return .failed(
                "\(keyFile) is not the key of \(file)", needs: needs, fix: "find the pair that belongs together")
        }
        return Self.finding(
            certificate, names: settings.nginxProxyServerName, now: try await site.head.now(), needs: needs)
    }

    private static func finding(_ certificate: Certificate.Value, names: [String], now: Int, needs: String) -> Finding {
        let days = certificate.days(at: now)
        if certificate.start > now {
            return .failed(
                "it is not valid yet", needs: needs,
                fix: "look at the clock (timedatectl), or at the certificate's dates")
        }
        if certificate.end <= now { return .failed("it is out of date", needs: needs, fix: "have a new one signed") }
        if certificate.names.isEmpty {
            return .warning(
                "it names no host (no subjectAltName)", needs: needs,
                fix: "have one signed with the names of NGINX_PROXY_SERVER_NAME: browsers will refuse it")
        }
        let strangers = names.filter { !certificate.covers($0) }
        if !strangers.isEmpty {
            return .warning(
                "it is for \(certificate.names.joined(separator: ", ")), not for \(strangers.joined(separator: ", "))",
                needs: needs,
                fix: "have one signed with these names, or mend NGINX_PROXY_SERVER_NAME: browsers will refuse it")
        }
        return days < 30
            ? .warning("it lasts \(days) days", needs: needs, fix: "have a new one signed")
            : .passed("it lasts \(days) days", needs: needs)
    }

    /// The key's public half, in the form in which the certificate's is kept; nil where openssl cannot read it.
    private func publicKey(of path: FilePath, on host: Host) async throws -> String? {
        // An empty passphrase, so that openssl never asks for one.
        let outcome = try await host.transport.run([
            "openssl", "pkey", "-in", path.string, "-pubout", "-passin", "pass:",
        ])
        guard outcome.status == 0 else { return nil }
        return outcome.output.lines.filter { !$0.hasPrefix("-----") }.joined()
    }
}
