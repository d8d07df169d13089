import Hosts
import SystemPackage

/// The kernel's settings for a node. MicroK8s has a file of its own with some of
/// them, lower; ours comes after it in the order of their names.
enum KernelSettings {
    static let file: FilePath = "/etc/sysctl.d/90-jhub.conf"

    /// What must be exactly so: a node forwards its pods' packets, and they pass through iptables.
    private static let exact: [(key: String, value: Int)] = [
        ("net.bridge.bridge-nf-call-ip6tables", 1),
        ("net.bridge.bridge-nf-call-iptables", 1),
        ("net.ipv4.ip_forward", 1),
    ]

    /// What must be at least so: MicroK8s asks for 1048576 watches; RKE2's guide for 8192 instances.
    private static let atLeast: [(key: String, value: Int)] = [
        ("fs.inotify.max_user_instances", 8192),
        ("fs.inotify.max_user_watches", 1_048_576),
    ]

    /// What is missing: the file, and what is not so now.
    static func changes(on host: Host) async throws -> [Change] {
        var wanted = exact
        for (key, least) in atLeast { wanted.append((key, max(least, try await host.sysctl(key) ?? least))) }
        let lines = wanted.map { "\($0.key) = \($0.value)" }.joined(separator: "\n")
        var changes = try await host.wants(
            File(file, "# Written by jhub-install.\n\(lines)\n"),
            because: "the kernel's settings must hold after a reboot")
        for (key, value) in wanted {
            guard let now = try await host.sysctl(key), now != value else { continue }
            let set: Command = ["sysctl", "-q", "-w", "\(key)=\(value)"]
            let back: Command = ["sysctl", "-q", "-w", "\(key)=\(now)"]
            changes.append(Change(.run(set, undo: back), because: "\(key) is \(now)"))
        }
        return changes
    }
}
