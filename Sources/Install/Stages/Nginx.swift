import Crypto
import Hosts
import SystemPackage

import class Foundation.FileManager

/// The site's file, filled in from `templates/nginx/`.
enum NginxConfiguration {
    /// What Nginx answers there by itself names the version of the file that it serves: only a reload brings it a new one.
    static let (versionPath, header) = ("/.jhub-site", "x-jhub-site")

    static func text(for site: Site) async throws -> String {
        let text = try await unversioned(for: site)
        return text.replacing("${VERSION}", with: try await version(of: text, on: site))
    }

    static func version(for site: Site) async throws -> String {
        try await version(of: try await unversioned(for: site), on: site)
    }

    /// The certificate is part of it, since a renewed one is served only after a reload too.
    private static func version(of text: String, on site: Site) async throws -> String {
        let certificate = try await site.head.transport.read(NginxCertificate.file) ?? []
        return String(SHA256.hash(data: Array(text.utf8) + certificate).hexadecimal.prefix(16))
    }

    private static func unversioned(for site: Site) async throws -> String {
        let settings = site.settings
        let template = settings.nginxProxyHttpMode == .redirect ? "redirect" : "proxy"
        let address = try await NodeAddress.of(site)
        let folder = site.root.appending("templates").appending("nginx")
        func read(_ name: String) throws -> String {
            guard let bytes = FileManager.default.contents(atPath: folder.appending(name).string) else {
                throw InstallError.refused("could not read \(folder.appending(name))")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        // All of these are names and numbers that the settings have checked.
        let values = [
            "PLAIN": try read("\(template).conf").trimmed,
            "NAMES": try await site.accessNames().joined(separator: " "),
            "HTTP_PORT": String(settings.nginxProxyHttpPort), "HTTPS_PORT": String(settings.nginxProxyHttpsPort),
            "HTTPS_SUFFIX": settings.nginxProxyHttpsPort == 443 ? "" : ":\(settings.nginxProxyHttpsPort)",
            "UPSTREAM": "\(settings.nginxProxyUpstreamHost ?? address):\(settings.nginxProxyUpstreamPort)",
            "CERTIFICATE": NginxCertificate.file.string, "KEY": NginxCertificate.key.string,
        ]
        var text = try read("jhub.conf")
        // The plain server's text has holes of its own.
        for name in ["PLAIN"] + values.keys.sorted() {
            text = text.replacing("${\(name)}", with: values[name] ?? "")
        }
        return text
    }
}

/// Nginx's certificate: the site's own, copied, or one that we sign ourselves with all the names in it.
struct NginxCertificate {
    static let folder: FilePath = "/etc/nginx/jhub"
    static let file: FilePath = "/etc/nginx/jhub/cert.pem"
    static let key: FilePath = "/etc/nginx/jhub/key.pem"

    var site: Site

    func changes() async throws -> [Change] {
        if let certificate = site.settings.nginxProxyCertFile, let key = site.settings.nginxProxyKeyFile {
            return try await copies(of: certificate, key)
        }
        let lack = try await lack()
        guard let lack else { return [] }
        return [
            Change(
                .make(Directory(Self.folder, permissions: FilePermissions(rawValue: 0o755))),
                because: "the certificate lies in it"),
            Change(.run(try await selfSigning()), because: lack),
        ]
    }

    private func copies(of certificate: FilePath, _ key: FilePath) async throws -> [Change] {
        var changes: [Change] = []
        for (source, target, isKey) in [(certificate, Self.file, false), (key, Self.key, true)] {
            guard let bytes = try await site.head.transport.read(source) else {
                throw InstallError.refused("there is no \(source), which the config names for Nginx")
            }
            var copy = File(
                target, "", permissions: isKey ? .ownerReadWrite : [.ownerReadWrite, .groupRead, .otherRead],
                isSecret: isKey)
            copy.contents = bytes
            changes += try await site.head.wants(copy, because: "Nginx reads \(source) from there")
        }
        return changes
    }

    /// Thirty days: long enough for somebody to see it in a run or in the status before it ends.
    private static let rest = 30 * 86_400

    private func lack() async throws -> String? {
        let transport = site.head.transport
        guard try await transport.state(of: Self.file) != nil, try await transport.state(of: Self.key) != nil else {
            return "there is no certificate"
        }
        let left = try await transport.run([
            "openssl", "x509", "-noout", "-checkend", String(Self.rest), "-in", Self.file.string,
        ])
        guard left.status == 0 else { return "the certificate ends within 30 days" }
        let names: Command = ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", Self.file.string]
        let stated = try await transport.run(names).orThrow(names, on: site.head.name).output
        let words = Set(
            stated.split { $0 == "," || $0.isWhitespace }.map { $0.split(separator: ":").last.map(String.init) ?? "" })
        let missing = try await subjects().filter { !words.contains($0) }
        return missing.isEmpty ? nil : "the certificate does not name \(missing.joined(separator: ", "))"
    }

    private func selfSigning() async throws -> Command {
        let names = try await subjects().map { $0.isAddress ? "IP:\($0)" : "DNS:\($0)" }
        return Command([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-sha256",
            "-days", "825", "-subj", "/CN=\(try await site.accessNames()[0])",
            "-addext", "subjectAltName=" + names.joined(separator: ","),
            "-keyout", Self.key.string, "-out", Self.file.string,
        ])
    }

    /// The names, and the address for those who have no name for it.
    private func subjects() async throws -> [String] {
        let address = try await NodeAddress.of(site)
        let names = try await site.accessNames()
        return names.contains(address) ? names : names + [address]
    }
}

extension Site {
    /// The names under which browsers ask for the hub; this machine's address where the config has none.
    func accessNames() async throws -> [String] {
        settings.nginxProxyServerName.isEmpty ? [try await NodeAddress.of(self)] : settings.nginxProxyServerName
    }

    /// Where the hub is, the best way first.
    package func addresses() async throws -> [String] {
        var addresses: [String] = []
        if settings.enableNginxProxy {
            let port = settings.nginxProxyHttpsPort == 443 ? "" : ":\(settings.nginxProxyHttpsPort)"
            for name in try await accessNames() { addresses.append("https://\(name)\(port)") }
        }
        return addresses + [try await nodePortAddress()]
    }

    /// The file with the first admin's password, where this program made one.
    package func passwordFile() async throws -> String? {
        let path = settings.adminPasswordFile ?? HubSecrets.passwordFile
        return try await head.transport.state(of: path) == nil ? nil : path.string
    }
}

extension String {
    fileprivate var isAddress: Bool { contains(":") || allSatisfy { $0.isNumber || $0 == "." } }
}
