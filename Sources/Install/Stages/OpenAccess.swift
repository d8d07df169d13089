import HTTP
import Hosts
import SystemPackage

/// Nginx with TLS in front of the hub, where the config asks for it. Other sites of this Nginx are not touched.
package struct OpenAccess: Stage {
    package let name = "access"
    package let title = "Open the access"
    package let patience = Duration.seconds(60)
    package init() {}

    package func plan(for site: Site) async throws -> Plan {
        guard site.settings.enableNginxProxy else { return try await withdraw(site) }
        let transport = site.head.transport
        let broken = try await brokenOff(site)
        guard broken.isEmpty else { return .changes(broken) }
        guard try await transport.state(of: Self.program) != nil else { return .changes(try install(site)) }
        // The site's file depends on the certificate.
        let certificate = try await NginxCertificate(site: site).changes()
        guard certificate.isEmpty else { return .changes(certificate) }
        let state = try await site.head.learn(UnitState("nginx"))
        var configuration = try await configuration(site)
        if !configuration.isEmpty && state == .active { configuration.append(Self.reload) }
        guard configuration.isEmpty else { return .changes(configuration) }
        if state == .inactive || state == .failed {
            let start: Command = ["systemctl", "enable", "--now", "nginx"]
            return .changes([Change(.run(start), because: "nginx is \(state.rawValue)")])
        }
        let answer = try await answer(site)
        guard answer == .settled else { return answer }
        guard try await transport.state(of: Self.startsAtBoot) == nil else { return .settled }
        let enable: Command = ["systemctl", "enable", "nginx"]
        return .changes([Change(.run(enable), because: "it must serve the hub after a reboot")])
    }

    private static let startsAtBoot: FilePath = "/etc/systemd/system/multi-user.target.wants/nginx.service"
    private static let program: FilePath = "/usr/sbin/nginx"
    static let file: FilePath = "/etc/nginx/conf.d/jhub.conf"
    private static let test: Command = ["nginx", "-t"]

    /// Nothing but the given files: with --no-download apt loses their folder ("Pathname to install is not absolute").
    /// Its cache of the sources stays as it is. Another apt, such as the nightly upgrades, is waited for.
    private static let noSources = [
        "Dir::Etc::SourceList=/dev/null", "Dir::Etc::SourceParts=/dev/null", "Dir::Cache::PkgCache=",
        "Dir::Cache::SrcPkgCache=", "DPkg::Lock::Timeout=120",
    ].flatMap { ["-o", $0] }

    private func install(_ site: Site) throws -> [Change] {
        let packages = try site.bundle.packages()
        guard packages.contains(where: { $0.lastComponent?.string.hasPrefix("nginx") == true }) else {
            throw BundleError(
                "ENABLE_NGINX_PROXY is on, nginx is not installed, and \(site.bundle.path)/packages has no nginx .deb")
        }
        var install = Command(
            ["apt-get", "install", "--yes", "--no-remove", "--no-install-recommends"] + Self.noSources
                + packages.map(\.string))
        install.environment = ["DEBIAN_FRONTEND": "noninteractive"]
        return [Change(.run(install), because: "nginx is not installed")]
    }

    /// What a power cut left of an installation: apt refuses to go on with that, dpkg does not.
    private func brokenOff(_ site: Site) async throws -> [Change] {
        let packages = try site.bundle.packages()
        let names = Set(packages.compactMap { $0.lastComponent?.string.split(separator: "_").first.map(String.init) })
        guard !names.isEmpty else { return [] }
        let query = Command(
            ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"] + names.sorted())
        // It ends with 1 where it does not know one of them, and says what it knows of the others.
        let states = try await site.head.transport.run(query).output.lines.map(\.words)
        let whole: Set = ["installed", "not-installed", "config-files"]
        let broken = states.filter { $0.count == 2 && names.contains($0[0]) && !whole.contains($0[1]) }
        guard !broken.isEmpty else { return [] }
        var install = Command(["dpkg", "--install", "--force-confold"] + packages.map(\.string))
        install.environment = ["DEBIAN_FRONTEND": "noninteractive"]
        let reason = broken.map { $0.joined(separator: " is ") }.joined(separator: ", ")
        return [Change(.run(install), because: "an installation was broken off: \(reason)")]
    }

    /// Written only if Nginx can read it; else what stood there stays.
    private func configuration(_ site: Site) async throws -> [Change] {
        let text = try await NginxConfiguration.text(for: site)
        let changes = try await site.head.wants(File(Self.file, text), because: "nginx must know the hub")
        return changes.map { change in
            guard case .write(let file, _) = change.action else { return change }
            return Change(.write(file, test: Self.test), because: change.reason)
        }
    }

    /// Whether it serves what stands in its files, which a reload mends; and whether the hub answers through it.
    private func answer(_ site: Site) async throws -> Plan {
        let version = try await NginxConfiguration.version(for: site)
        let served = try? await ask(NginxConfiguration.versionPath, site).headers[NginxConfiguration.header]
        guard served == version else { return .changes([Self.reload]) }
        do {
            let status = try await ask("/hub/login", site).status
            switch status {
            case 200, 302: return .settled
            // The hub behind it is not there yet.
            case 500...: return .waits(for: "nginx, which answers \(status)")
            default: return .changes([Self.reload])
            }
        } catch let error as HTTPError {
            return .waits(for: error.description)
        }
    }

    private func ask(_ path: String, _ site: Site) async throws -> HTTPResponse {
        let certificate = try await site.head.transport.read(NginxCertificate.file)
        let port = site.settings.nginxProxyHttpsPort
        var request = HTTPRequest(
            "GET", "https://\(try await site.accessNames()[0]):\(port)\(path)", limit: .seconds(10),
            trust: Trust(authority: certificate))
        // The name may not be known to any resolver here.
        request.address = try await NodeAddress.of(site)
        return try await site.http.send(request)
    }

    private static let reload = Change(
        .run(["systemctl", "reload", "nginx"]), because: "it does not serve what stands in its files")

    /// It was asked for once, and no more: what we wrote goes, and nothing else. The file goes last, since it alone tells
    /// that Nginx may still have to be told.
    private func withdraw(_ site: Site) async throws -> Plan {
        let transport = site.head.transport
        guard try await transport.state(of: Self.file) != nil else { return .settled }
        var changes = try await site.head.wants(File(Self.file, ""), because: "ENABLE_NGINX_PROXY is off")
        if try await transport.state(of: Self.program) != nil {
            let reload: Command = ["systemctl", "try-reload-or-restart", "nginx"]
            changes.append(Change(.run(reload), because: "it must not serve the hub any more"))
        }
        changes.append(Change(.remove(Self.file), because: "ENABLE_NGINX_PROXY is off"))
        return .changes(changes)
    }
}
