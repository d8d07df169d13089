import Hosts
import SystemPackage

/// Without Internet a machine often has no resolver at all, and that is fine: the cluster's DNS is told to ask nobody.
struct Resolvers: Check {
    let id = "net.resolv"
    let title = "The resolvers can be asked by pods"

    func finding(on site: Site) async throws -> Finding {
        let needs = "1 to 3 resolvers that are not on loopback, at most 6 search names"
        let (servers, search) = try await resolvers(on: site.node)
        let fix =
            "set DNS_UPSTREAM to the site's resolvers, or leave it empty: then names outside the cluster have no answer"
        let measured = servers.isEmpty ? "none" : servers.joined(separator: ", ")
        if servers.isEmpty { return .warning(measured, needs: needs, fix: fix) }
        if servers.allSatisfy(Self.isLoopback) { return .warning("\(measured) only", needs: needs, fix: fix) }
        if servers.count > 3 || search.count > 6 {
            return .warning(
                "\(servers.count) resolvers, \(search.count) search names", needs: needs,
                fix: "take the surplus out of /etc/resolv.conf: the kubelet cuts them off")
        }
        return .passed(measured, needs: needs)
    }

    /// As MicroK8s looks: the second file is where systemd-resolved keeps the real ones.
    private func resolvers(on host: Host) async throws -> (servers: [String], search: [String]) {
        var (servers, search): ([String], [String]) = ([], [])
        for path: FilePath in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
            guard let text = try await host.text(of: path) else { continue }
            let lines = text.lines.map(\.words)
            servers = lines.filter { $0.first == "nameserver" && $0.count > 1 }.map { $0[1] }
            search = lines.last { $0.first == "search" }.map { Array($0.dropFirst()) } ?? []
            if !servers.isEmpty && !servers.allSatisfy(Self.isLoopback) { break }
        }
        return (servers, search)
    }

    private static func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" }
}

struct LocalhostResolves: Check {
    let id = "net.localhost"
    let title = "localhost is this machine"

    func finding(on site: Site) async throws -> Finding {
        let needs = "127.0.0.1 or ::1"
        let outcome = try await site.node.transport.run(["getent", "ahosts", "localhost"])
        let addresses = Set(outcome.output.lines.compactMap { $0.words.first }).sorted()
        let measured = addresses.isEmpty ? "nothing" : addresses.joined(separator: ", ")
        return !addresses.isEmpty && addresses.allSatisfy { $0.hasPrefix("127.") || $0 == "::1" }
            ? .passed(measured, needs: needs)
            : .failed(measured, needs: needs, fix: "a line '127.0.0.1 localhost' in /etc/hosts")
    }
}

/// A proxy's address may hold a password; it is named, and not shown.
struct NoProxy: Check {
    let id = "net.proxy"
    let title = "No proxy stands between snapd, the cluster and their own addresses"
    static let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]

    func finding(on site: Site) async throws -> Finding {
        let needs = "none, or no_proxy with 10.1.0.0/16 and 10.152.183.0/24"
        var texts = [try await site.node.text(of: "/etc/environment") ?? ""]
        texts.append(try await site.node.transport.run(["systemctl", "show-environment"]).output)
        let unit = try await site.node.transport.run([
            "systemctl", "show", "--property=Environment", "--value", "--", "snapd.service",
        ])
        texts.append(unit.output.words.joined(separator: "\n"))
        let values = texts.reduce(into: [String: String]()) { $0.merge($1.assignments) { first, _ in first } }
        let proxies = Self.names.filter { values[$0]?.isEmpty == false }
        guard !proxies.isEmpty else { return .passed("none", needs: needs) }
        let exempt = values["no_proxy"] ?? values["NO_PROXY"] ?? ""
        if exempt.contains("10.1.0.0/16") && exempt.contains("10.152.183.0/24") {
            return .passed("\(proxies.joined(separator: ", ")), with exemptions", needs: needs)
        }
        return .warning(
            "\(proxies.joined(separator: ", ")) set", needs: needs,
            fix:
                "take it out of /etc/environment and of snapd's unit, or add no_proxy=10.1.0.0/16,10.152.183.0/24,127.0.0.1"
        )
    }
}

struct NoFirewall: Check {
    let id = "net.firewall"
    let title = "No firewall stands before the cluster"

    func finding(on site: Site) async throws -> Finding {
        let needs = "none, or one with the rules below"
        let states = try await site.node.learn(UnitStates(["ufw.service", "firewalld.service"]))
        if states["firewalld.service"]?.active == "active" {
            return .warning(
                "firewalld is active", needs: needs,
                fix: "firewall-cmd --permanent --zone=trusted --add-source=10.1.0.0/16 --add-interface=vxlan.calico; "
                    + "firewall-cmd --permanent --add-port=\(site.settings.nodeportFallbackPort)/tcp; firewall-cmd --reload"
            )
        }
        // The unit is active on every Ubuntu; the file says whether the rules are on.
        let isOn =
            (try await site.node.text(of: "/etc/ufw/ufw.conf") ?? "").assignments["ENABLED"]?.lowercased() == "yes"
        guard isOn, states["ufw.service"]?.active == "active" else { return .passed("none", needs: needs) }
        return .warning(
            "ufw is active", needs: needs,
            fix: "ufw allow in on vxlan.calico; ufw allow in on cali+; ufw default allow routed; "
                + "ufw allow \(site.settings.nodeportFallbackPort)/tcp")
    }
}

/// NetworkManager would take the addresses off interfaces that it thinks are its own.
struct CalicoUnmanaged: Check {
    let id = "net.nm_cali"
    let title = "NetworkManager leaves Calico's interfaces alone"
    static let file: FilePath = "/etc/NetworkManager/conf.d/90-jhub-calico.conf"

    func finding(on site: Site) async throws -> Finding {
        let needs = "cali* and vxlan.calico unmanaged"
        let states = try await site.node.learn(UnitStates(["NetworkManager.service"]))
        guard states["NetworkManager.service"]?.isInUse == true else {
            return .passed("no NetworkManager", needs: needs)
        }
        let folder: FilePath = "/etc/NetworkManager/conf.d"
        for name in try await site.node.transport.list(folder) ?? [] {
            let text = try await site.node.text(of: folder.appending(name)) ?? ""
            if text.contains("interface-name:cali*") && text.contains("interface-name:vxlan.calico") {
                return .passed("unmanaged by \(name)", needs: needs)
            }
        }
        let contents = """
            # Written by jhub-install: these belong to the cluster's network.
            [keyfile]
            unmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico

            """
        let reload: Command = ["systemctl", "reload", "NetworkManager.service"]
        return .warning(
            "managed", needs: needs, fix: "jhub-install preflight --fix writes \(Self.file)",
            repair: [
                Change(.write(File(Self.file, contents)), because: "NetworkManager would manage Calico's interfaces"),
                Change(.run(reload, undo: reload), because: "it must read that"),
            ])
    }
}
