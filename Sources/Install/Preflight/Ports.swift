import Hosts
import SystemPackage

/// Who listens, on TCP.
struct ListeningPorts: Fact {
    struct Listener: Hashable, Sendable {
        var port: Int
        var address: String
        /// Empty where ss does not say.
        var process: String
        var pid: Int?
    }

    let command: Command = ["ss", "--listening", "--tcp", "--numeric", "--processes", "--no-header"]

    /// "LISTEN 0 4096 *:16443 *:* users:(("kubelite",pid=812,fd=9))"
    func value(of outcome: Outcome) throws(FactError) -> [Listener] {
        guard outcome.status == 0 else { throw FactError("ss says '\(outcome.lastWords)'") }
        var listeners: [Listener] = []
        for line in outcome.output.lines {
            let words = line.words
            guard words.count >= 5, let cut = words[3].lastIndex(of: ":"),
                let port = Int(words[3][words[3].index(after: cut)...])
            else { throw FactError("ss says '\(line)'") }
            let users = words.dropFirst(5).joined(separator: " ")
            let quoted = users.split(separator: "\"")
            let digits = users.firstRange(of: "pid=").map { users[$0.upperBound...].prefix { $0.isNumber } }
            listeners.append(
                Listener(
                    port: port, address: String(words[3][..<cut]), process: quoted.count > 1 ? String(quoted[1]) : "",
                    pid: digits.flatMap { Int($0) }))
        }
        return listeners
    }
}

/// Ports that the cluster or Nginx will want. What an earlier run of ours
/// started may hold them.
struct FreePorts: Check {
    let id: String
    let title: String
    let ports: [Int]
    /// Programs and parts of unit names that may hold them.
    let owners: [String]
    let fix: String

    func finding(on site: Site) async throws -> Finding {
        let needs = "free: \(ports.map(String.init).joined(separator: ", "))"
        var (taken, ours): ([String], [Int]) = ([], [])
        for (listener, unit) in try await holders(on: site.node) {
            let isOurs = owners.contains { unit.contains($0) || listener.process == $0 }
            if isOurs {
                ours.append(listener.port)
                continue
            }
            let name = listener.process.isEmpty ? "a process of another container" : listener.process
            let number = listener.pid.map { ", process \($0)" } ?? ""
            let text = "\(listener.port) is held by \(name)\(number)\(unit.isEmpty ? "" : " of \(unit)")"
            if !taken.contains(text) { taken.append(text) }
        }
        guard taken.isEmpty else { return .failed(taken.joined(separator: "; "), needs: needs, fix: fix) }
        let held = Set(ours).sorted().map(String.init).joined(separator: ", ")
        return .passed(ours.isEmpty ? "all free" : "\(held): held by our own", needs: needs)
    }

    /// Those who listen, with the systemd units that they belong to.
    private func holders(on host: Host, looks: Int = 10) async throws -> [(ListeningPorts.Listener, unit: String)] {
        var (holders, isSteady): ([(ListeningPorts.Listener, unit: String)], Bool) = ([], true)
        for listener in try await host.learn(ListeningPorts()) where ports.contains(listener.port) {
            let unit = try await unit(of: listener, on: host)
            if unit == nil { isSteady = false }
            holders.append((listener, unit ?? ""))
        }
        // ss reads the processes before the sockets, and their units are read after both: who begins or ends meanwhile,
        // as MicroK8s does when it starts anew, is looked at again.
        guard !isSteady, looks > 1 else { return holders }
        try await Task.sleep(for: .milliseconds(500))
        return try await self.holders(on: host, looks: looks - 1)
    }

    /// From the process' control group: ".../snap.microk8s.daemon-kubelite.service". Nil where there is no such process.
    private func unit(of listener: ListeningPorts.Listener, on host: Host) async throws -> String? {
        guard let pid = listener.pid, let text = try await host.text(of: FilePath("/proc/\(pid)/cgroup")) else {
            return nil
        }
        let names = text.lines.flatMap { $0.split(separator: "/").map(String.init) }
        return names.last { $0.hasSuffix(".service") } ?? names.last { $0.hasSuffix(".scope") } ?? ""
    }
}

extension FreePorts {
    static let ofMicroK8s = FreePorts(
        id: "net.ports", title: "The cluster's ports are free",
        ports: [1338, 10248, 10249, 10250, 10256, 10257, 10259, 16443, 19001, 25000], owners: ["snap.microk8s."],
        fix: "stop what holds it: systemctl disable --now UNIT; MicroK8s cannot use other ports")

    static func node(_ port: Int) -> FreePorts {
        FreePorts(
            id: "net.port_node", title: "The hub's port on the node is free", ports: [port],
            owners: ["snap.microk8s.", "kube-proxy", "k3s", "rke2"],
            fix: "stop what holds it, or set NODEPORT_FALLBACK_PORT to another from 30000 to 32767")
    }

    static func agent(_ port: Int) -> FreePorts {
        FreePorts(
            id: "net.port_agent", title: "The agent's port is free", ports: [port], owners: ["jhub-agent"],
            fix: "stop what holds it, or set AGENT_PORT to another")
    }

    /// Several sites share one Nginx; only another program is in the way.
    static func nginx(_ ports: [Int]) -> FreePorts {
        FreePorts(
            id: "net.port_web", title: "Nginx' ports are free", ports: ports, owners: ["nginx"],
            fix: "stop what holds it, or set NGINX_PROXY_HTTP_PORT and NGINX_PROXY_HTTPS_PORT to others")
    }
}
