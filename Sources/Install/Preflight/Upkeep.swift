import Hosts
import SystemPackage

struct NoRebootPending: Check {
    let id = "os.reboot_required"
    let title = "No update waits for a reboot"

    func finding(on site: Site) async throws -> Finding {
        let needs = "no /run/reboot-required"
        guard try await site.node.has("/run/reboot-required") else { return .passed("none", needs: needs) }
        let packages = try await site.node.text(of: "/run/reboot-required.pkgs")?.words ?? []
        return .warning(
            packages.isEmpty
                ? "a reboot is asked for" : "asked for by \(Set(packages).sorted().joined(separator: ", "))",
            needs: needs, fix: "reboot now, before the cluster runs: systemctl reboot")
    }
}

struct NewestKernelRuns: Check {
    let id = "os.kernel_pending"
    let title = "The newest kernel that is installed is the one that runs"

    func finding(on site: Site) async throws -> Finding {
        let running = try await site.node.transport.run(["uname", "-r"]).output.trimmed
        let installed = (try await site.node.transport.list("/boot") ?? [])
            .filter { $0.hasPrefix("vmlinuz-") }.map { String($0.dropFirst("vmlinuz-".count)) }
        guard installed.contains(running),
            let newest = installed.max(by: { Self.numbers($0).lexicographicallyPrecedes(Self.numbers($1)) })
        else { return .passed("\(running) (none of its kind in /boot)", needs: "the newest in /boot") }
        return newest == running
            ? .passed(running, needs: "the newest in /boot")
            : .warning(
                "\(running) runs, \(newest) is installed", needs: "the newest in /boot",
                fix: "reboot now, before the cluster runs: systemctl reboot")
    }

    /// 6.1.0-25 is above 6.1.0-9.
    private static func numbers(_ release: String) -> [Int] { release.split { !$0.isNumber }.compactMap { Int($0) } }
}

struct NoUnattendedUpgrades: Check {
    let id = "os.unattended"
    let title = "Nothing upgrades the kernel or snapd by itself"

    func finding(on site: Site) async throws -> Finding {
        let needs = "unattended-upgrades off"
        let text = try await site.node.text(of: "/etc/apt/apt.conf.d/20auto-upgrades") ?? ""
        let isOn = text.lines.contains { line in
            let line = line.trimmed
            return line.hasPrefix("APT::Periodic::Unattended-Upgrade") && !line.contains("\"0\"")
        }
        return isOn
            ? .warning(
                "on", needs: needs,
                fix: "systemctl disable --now unattended-upgrades; and "
                    + "APT::Periodic::Unattended-Upgrade \"0\"; in /etc/apt/apt.conf.d/20auto-upgrades")
            : .passed("off", needs: needs)
    }
}

/// Programs that have been seen to flush iptables, to hold files open, or to end what a kubelet starts.
struct NoMeddlers: Check {
    let id = "os.thirdparty"
    let title = "No security agent interferes with containers"
    static let units = [
        "falcon-sensor.service": "CrowdStrike Falcon", "ven.service": "Illumio", "illumio-ven.service": "Illumio",
        "ds_agent.service": "Trend Micro Deep Security", "sentinelone.service": "SentinelOne",
        "mdatp.service": "Microsoft Defender", "cbagentd.service": "Carbon Black",
        "clamav-clamonacc.service": "ClamAV on access",
    ]

    func finding(on site: Site) async throws -> Finding {
        let states = try await site.node.learn(UnitStates(Self.units.keys.sorted()))
        let found = Set(states.filter { $0.value.active == "active" }.keys.compactMap { Self.units[$0] }).sorted()
        return found.isEmpty
            ? .passed("none of those known", needs: "none")
            : .warning(
                found.joined(separator: ", "), needs: "none",
                fix: "exempt /var/snap, /run/containerd and /var/lib/kubelet in it, and let it leave iptables alone")
    }
}

struct NoForeignCluster: Check {
    let id = "os.existing_k8s"
    let title = "No other Kubernetes runs here"
    static let units = [
        "k3s.service": "k3s", "k3s-agent.service": "k3s agent", "rke2-server.service": "RKE2",
        "rke2-agent.service": "RKE2 agent", "kubelet.service": "a kubelet", "k0scontroller.service": "k0s",
        "k0sworker.service": "k0s worker", "snap.k8s.kubelet.service": "Canonical Kubernetes",
        "snap.kubelet.daemon.service": "the kubelet snap", "microshift.service": "MicroShift",
    ]

    func finding(on site: Site) async throws -> Finding {
        let needs = "none"
        let states = try await site.node.learn(UnitStates(Self.units.keys.sorted()))
        var found = states.filter { $0.value.isInUse }.keys.sorted().map { "\(Self.units[$0] ?? "") (\($0))" }
        if try await isInSwarm(site.node) { found.append("a Docker swarm") }
        guard !found.isEmpty else { return .passed("none", needs: needs) }
        return .failed(
            found.joined(separator: ", "), needs: needs,
            fix: "use that cluster with CLUSTER_PROVIDER=existing, or take it away from this machine first")
    }

    private func isInSwarm(_ host: Host) async throws -> Bool {
        guard let docker = try await host.program("docker") else { return false }
        let outcome = try await host.transport.run([docker.string, "info", "--format", "{{.Swarm.LocalNodeState}}"])
        return outcome.output.trimmed == "active"
    }
}
