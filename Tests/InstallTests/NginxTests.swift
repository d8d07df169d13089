import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct NginxTests {
    var machine: TestMachine
    private var host: ScriptedHost { machine.host }
    private var stage: OpenAccess { OpenAccess() }

    init() throws {
        machine = try TestMachine()
        machine.settings.enableNginxProxy = true
        machine.settings.nginxProxyServerName = ["hub.example.com", "jupyter.example.com"]
        host["/usr/sbin/nginx"] = "ELF"
        certificate(ends: false, names: "DNS:hub.example.com, DNS:jupyter.example.com, IP Address:10.99.0.2")
        machine.units([:])
        host.answer(["nginx", "-t"], Outcome())
        packages("")
    }

    /// What dpkg says of the bundle's packages.
    private func packages(_ states: String) {
        host.answer(where: { $0.argv[0] == "dpkg-query" }, Outcome(status: states.isEmpty ? 1 : 0, output: states))
    }

    private func certificate(ends: Bool, names: String) {
        for file in ["cert", "key"] { host[FilePath("/etc/nginx/jhub/\(file).pem")] = "PEM" }
        host.answer(where: { $0.argv.contains("-checkend") }, Outcome(status: ends ? 1 : 0))
        host.answer(
            where: { $0.argv.contains("-ext") },
            Outcome(
                output: names.isEmpty
                    ? "No extensions in certificate\n" : "X509v3 Subject Alternative Name: \n    \(names)\n"))
    }

    private func text() async throws -> String { try await NginxConfiguration.text(for: machine.site) }
    private func changes() async throws -> [Change] { try await machine.changes(of: stage) }

    /// A line's words, without the blanks and the semicolon.
    private func lines(_ text: String, _ word: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmed }.filter { $0.hasPrefix(word + " ") }
    }

    @Test func everyHoleIsFilled() async throws {
        let text = try await text()
        #expect(!text.contains("${"))
        #expect(text.hasPrefix("# Written by jhub-install."))
        #expect(lines(text, "listen") == ["listen 80;", "listen 443 ssl;"])
        #expect(
            lines(text, "server_name") == Array(repeating: "server_name hub.example.com jupyter.example.com;", count: 2)
        )
        #expect(lines(text, "proxy_pass") == ["proxy_pass http://10.99.0.2:30080;"])
        #expect(lines(text, "return") == ["return 301 https://$host$request_uri;", "return 204;"])
        #expect(lines(text, "ssl_certificate") == ["ssl_certificate     /etc/nginx/jhub/cert.pem;"])
        #expect(lines(text, "ssl_certificate_key") == ["ssl_certificate_key /etc/nginx/jhub/key.pem;"])
        #expect(lines(text, "client_max_body_size") == ["client_max_body_size 0;"])
        #expect(lines(text, "proxy_set_header").contains("proxy_set_header Upgrade $http_upgrade;"))
    }

    @Test func portsAndUpstreamAreTheConfigs() async throws {
        var machine = machine
        machine.settings.nginxProxyHttpPort = 8080
        machine.settings.nginxProxyHttpsPort = 8443
        machine.settings.nginxProxyUpstreamHost = "10.0.0.9"
        machine.settings.nginxProxyUpstreamPort = 31000
        let text = try await NginxConfiguration.text(for: machine.site)
        #expect(lines(text, "listen") == ["listen 8080;", "listen 8443 ssl;"])
        #expect(lines(text, "return") == ["return 301 https://$host:8443$request_uri;", "return 204;"])
        #expect(lines(text, "proxy_pass") == ["proxy_pass http://10.0.0.9:31000;"])
    }

    @Test func plainHTTPMayServeTheHubToo() async throws {
        var machine = machine
        machine.settings.nginxProxyHttpMode = .proxy
        let text = try await NginxConfiguration.text(for: machine.site)
        #expect(lines(text, "return") == ["return 204;"])
        #expect(lines(text, "proxy_pass").count == 2)
        #expect(lines(text, "client_max_body_size").count == 2)
    }

    @Test func withoutANameItsAddressIsIt() async throws {
        var machine = machine
        machine.settings.nginxProxyServerName = []
        #expect(
            lines(try await NginxConfiguration.text(for: machine.site), "server_name").first == "server_name 10.99.0.2;"
        )
        #expect(try await machine.site.addresses() == ["https://10.99.0.2", "http://10.99.0.2:30080"])
        machine.settings.nginxProxyHttpsPort = 8443
        #expect(try await machine.site.addresses().first == "https://10.99.0.2:8443")
        machine.settings.enableNginxProxy = false
        #expect(try await machine.site.addresses() == ["http://10.99.0.2:30080"])
    }

    @Test func itIsWrittenOnlyIfNginxCanReadIt() async throws {
        let changes = try await changes()
        #expect(changes.files == ["/etc/nginx/conf.d/jhub.conf"])
        guard case .write(_, let test)? = changes.first?.action else { return #expect(Bool(false)) }
        #expect(test == ["nginx", "-t"])
    }

    @Test func nginxComesFromTheBundle() async throws {
        host["/usr/sbin/nginx"] = nil
        let error = await #expect(throws: BundleError.self) { try await changes() }
        #expect(error?.description.contains("packages has no nginx .deb") == true)
        for name in ["libpcre3_1.deb", "nginx_1.deb"] { try machine.folder.put("packages/\(name)") }
        let folder = machine.folder.path.appending("packages")
        let argv = try await changes().compactMap(\.argv).first ?? []
        #expect(argv.starts(with: ["apt-get", "install", "--yes", "--no-remove"]))
        #expect(argv.suffix(2) == ["\(folder)/libpcre3_1.deb", "\(folder)/nginx_1.deb"])
    }

    @Test func anInstallationThatWasBrokenOffIsFinished() async throws {
        for name in ["nginx-common_1.deb", "nginx_1.deb"] { try machine.folder.put("packages/\(name)") }
        let folder = machine.folder.path.appending("packages")
        packages("nginx unpacked\nnginx-common half-configured\n")
        let changes = try await changes()
        #expect(
            changes.map(\.argv) == [
                ["dpkg", "--install", "--force-confold", "\(folder)/nginx-common_1.deb", "\(folder)/nginx_1.deb"]
            ])
        #expect(
            changes.map(\.reason) == [
                "an installation was broken off: nginx is unpacked, nginx-common is half-configured"
            ])
    }

    @Test func aCertificateOfItsOwnHasAllTheNames() async throws {
        host["/etc/nginx/jhub/key.pem"] = nil
        let changes = try await changes()
        #expect(changes.map(\.reason).contains("there is no certificate"))
        let argv = changes.compactMap(\.argv).first ?? []
        #expect(argv.contains("subjectAltName=DNS:hub.example.com,DNS:jupyter.example.com,IP:10.99.0.2"))
        #expect(argv.contains("/CN=hub.example.com"))
    }

    @Test(arguments: [
        (
            true, "DNS:hub.example.com, DNS:jupyter.example.com, IP Address:10.99.0.2",
            "the certificate ends within 30 days"
        ),
        (false, "DNS:hub.example.com, IP Address:10.99.0.2", "the certificate does not name jupyter.example.com"),
        (false, "DNS:hub.example.com, DNS:jupyter.example.com", "the certificate does not name 10.99.0.2"),
        (false, "", "the certificate does not name hub.example.com, jupyter.example.com, 10.99.0.2"),
    ])
    func aCertificateThatWillNotDoIsMadeAnew(_ ends: Bool, names: String, reason: String) async throws {
        certificate(ends: ends, names: names)
        #expect(try await NginxCertificate(site: machine.site).changes().map(\.reason).last == reason)
    }

    @Test func oneThatWillDoIsKept() async throws {
        #expect(try await NginxCertificate(site: machine.site).changes().isEmpty)
    }

    @Test func theSitesOwnIsCopied() async throws {
        var machine = machine
        machine.settings.nginxProxyCertFile = "/etc/ssl/hub.crt"
        machine.settings.nginxProxyKeyFile = "/etc/ssl/hub.key"
        host["/etc/ssl/hub.crt"] = "certificate"
        host["/etc/ssl/hub.key"] = "geheim"
        let changes = try await NginxCertificate(site: machine.site).changes()
        let files = changes.compactMap(\.file)
        #expect(files.map(\.path.string) == ["/etc/nginx/jhub/cert.pem", "/etc/nginx/jhub/key.pem"])
        #expect(files.map(\.permissions.octal) == ["0644", "0600"])
        #expect(files.map(\.isSecret) == [false, true])
        #expect(!"\(changes)".contains("geheim"))
        host["/etc/ssl/hub.key"] = nil
        await #expect(throws: InstallError.self) { try await NginxCertificate(site: machine.site).changes() }
    }

    @Test func oneThatIsDownIsStarted() async throws {
        host["/etc/nginx/conf.d/jhub.conf"] = try await text()
        machine.units(["nginx": "failed"])
        #expect(try await changes().commands == ["systemctl enable --now nginx"])
    }

    @Test func whatItDoesNotServeYetIsReloaded() async throws {
        var machine = machine
        machine.settings.nodeIp = "127.0.0.1"
        machine.settings.nginxProxyHttpsPort = Int(try StubServer.freePort())
        certificate(ends: false, names: "DNS:hub.example.com, DNS:jupyter.example.com, IP Address:127.0.0.1")
        host["/etc/nginx/conf.d/jhub.conf"] = try await NginxConfiguration.text(for: machine.site)
        #expect(try await machine.changes(of: stage).commands == ["systemctl reload nginx"])
    }

    @Test func whereItIsOffOnlyOursGoes() async throws {
        var machine = machine
        machine.settings.enableNginxProxy = false
        #expect(try await stage.plan(for: machine.site) == .settled)
        host["/etc/nginx/conf.d/jhub.conf"] = "old"
        let empty = "write /etc/nginx/conf.d/jhub.conf (0 bytes, 0644)"
        let reload = "run systemctl try-reload-or-restart nginx"
        let remove = "remove /etc/nginx/conf.d/jhub.conf"
        #expect(try await machine.changes(of: stage).map(\.action.description) == [empty, reload, remove])
        // Broken off between the first two, or between the last two.
        host["/etc/nginx/conf.d/jhub.conf"] = ""
        #expect(try await machine.changes(of: stage).map(\.action.description) == [reload, remove])
        host["/usr/sbin/nginx"] = nil
        #expect(try await machine.changes(of: stage).map(\.action.description) == [remove])
        #expect(try await machine.site.passwordFile() == nil)
        host["/var/lib/jhub/admin-password"] = "geheim"
        #expect(try await machine.site.passwordFile() == "/var/lib/jhub/admin-password")
    }
}

/// The text as Nginx itself takes it, and the certificate as OpenSSL makes it.
@Suite(.enabled("needs nginx and openssl") { await nginxIsThere() }) struct RealNginxTests {
    @Test(arguments: ["redirect", "proxy"]) func nginxTakesIt(_ mode: String) async throws {
        var machine = try TestMachine()
        machine.settings = try Settings(
            parsing: "ENABLE_NGINX_PROXY=1\nNGINX_PROXY_SERVER_NAME=hub.example.com\nNGINX_PROXY_HTTP_MODE=\(mode)")
        let folder = machine.folder
        let local = LocalTransport()
        guard let make = try await NginxCertificate(site: machine.site).changes().compactMap(\.argv).first else {
            return #expect(Bool(false))
        }
        let here = Command(make.map { $0.replacing("/etc/nginx/jhub", with: folder.path.string) })
        try await local.run(here).orThrow(here, on: "localhost")
        let text = try await NginxConfiguration.text(for: machine.site)
        try folder.put("jhub.conf", text.replacing("/etc/nginx/jhub", with: folder.path.string))
        try folder.put(
            "nginx.conf",
            "pid \(folder.path)/pid;\nevents {}\nhttp {\n    access_log off;\n    include \(folder.path)/jhub.conf;\n}\n"
        )
        let outcome = try await local.run([
            "nginx", "-t", "-q", "-e", "\(folder.path)/log", "-c", "\(folder.path)/nginx.conf",
        ])
        #expect(outcome.status == 0, "\(outcome)")
        // What was just made names what it has to, and lasts.
        let copy = machine.host
        for name in ["cert", "key"] { copy[FilePath("/etc/nginx/jhub/\(name).pem")] = try folder.text("\(name).pem") }
        for argv in [["-checkend", "2592000"], ["-ext", "subjectAltName"]] {
            let ask = ["openssl", "x509", "-noout"] + argv + ["-in"]
            copy.answer(
                where: { $0.argv == ask + ["/etc/nginx/jhub/cert.pem"] },
                try await local.run(Command(ask + ["\(folder.path)/cert.pem"])))
        }
        #expect(try await NginxCertificate(site: machine.site).changes().isEmpty)
    }
}

private func nginxIsThere() async -> Bool {
    let outcome = try? await LocalTransport().run(["sh", "-c", "command -v nginx && command -v openssl"])
    return outcome?.status == 0
}
