import Hosts
import SystemPackage

/// What Kubernetes wants of the host's kernel and network, kept over a reboot in files of our own name.
package struct PrepareHost: Stage {
    package let name = "host"
    package let title = "Prepare the host"
    package init() {}

    package func plan(for site: Site) async throws -> Plan {
        let address = try await NodeAddress.of(site)
        let folder = Directory(NodeFolder.path, permissions: .ownerReadWriteExecute)
        return .of(
            try await site.node.wants(folder, because: "what is ours on this machine lies there")
                + modules(on: site.node) + KernelSettings.changes(on: site.node) + NameHosts().changes(on: site)
                + defaultRoute(address, on: site.node))
    }

    private static let modulesFile: FilePath = "/etc/modules-load.d/jhub.conf"

    /// A module, and a path that stands where it is loaded or built in.
    private static let modules: [(name: String, sign: FilePath)] = [
        ("overlay", "/sys/module/overlay"),
        ("br_netfilter", "/proc/sys/net/bridge/bridge-nf-call-iptables"),
        ("vxlan", "/sys/module/vxlan"),
        ("nf_conntrack", "/proc/sys/net/netfilter/nf_conntrack_max"),
    ]

    private func modules(on host: Host) async throws -> [Change] {
        let lines = Self.modules.map(\.name).joined(separator: "\n")
        var changes = try await host.wants(
            File(Self.modulesFile, "# Written by jhub-install: what Kubernetes' network needs.\n\(lines)\n"),
            because: "the modules must be there after a reboot")
        for module in Self.modules where try await host.transport.state(of: module.sign) == nil {
            let load: Command = ["modprobe", module.name]
            changes.append(Change(.run(load), because: "\(module.name) is not loaded"))
        }
        return changes
    }

    private static let unitName = "jhub-default-route.service"
    private static let startsAtBoot: FilePath = "/etc/systemd/system/multi-user.target.wants/jhub-default-route.service"

    /// Where no route leads out, kubelet, Calico and MicroK8s choose no address or a wrong one.
    /// A route to nowhere mends that: its interface has the node's own address, and nothing behind it.
    private func defaultRoute(_ address: String, on host: Host) async throws -> [Change] {
        let routes = try await host.learn(Routes())
        let path: FilePath = "/etc/systemd/system/jhub-default-route.service"
        let isOurs = try await host.transport.state(of: path) != nil
        let foreign = routes.contains { $0.isDefault && $0.device != NowhereRoute.interface }
        if foreign && !isOurs { return [] }
        let route = NowhereRoute(address: address, kind: try await NowhereRoute.kind(on: host))
        var changes = try await host.wants(File(path, route.unit), because: "no route leads out of this machine")
        if !changes.isEmpty {
            changes.append(Change(.run(["systemctl", "daemon-reload"]), because: "its unit is new"))
        }
        let isNew = !changes.isEmpty
        let startsAtBoot = try await host.transport.state(of: Self.startsAtBoot) != nil
        if isNew || !startsAtBoot {
            let enable: Command = ["systemctl", "enable", Self.unitName]
            let disable: Command = ["systemctl", "disable", "--now", Self.unitName]
            changes.append(Change(.run(enable, undo: disable), because: "the route must be there after a reboot"))
        }
        if isNew || !routes.contains(where: { $0.isDefault && $0.device == NowhereRoute.interface }) {
            changes.append(Change(.run(["systemctl", "restart", Self.unitName]), because: "there is no default route"))
        }
        return changes
    }
}

/// A default route that leads nowhere, so that programs which want one find it.
struct NowhereRoute {
    /// Calico's address detection passes over names that begin with "dummy" (its default exclusion list).
    static let interface = "dummyjhub0"

    var address: String
    var kind: String

    /// `dummy`, or a bridge without ports where the kernel has no dummy.
    static func kind(on host: Host) async throws -> String {
        if try await host.transport.state(of: "/sys/module/dummy") != nil { return "dummy" }
        let known = try await host.transport.run(["modprobe", "--dry-run", "--quiet", "dummy"])
        return known.status == 0 ? "dummy" : "bridge"
    }

    var unit: String {
        """
        # Written by jhub-install: a default route that leads nowhere, for a machine without one.
        [Unit]
        Description=Default route to nowhere
        After=network.target
        Before=snapd.service snap.microk8s.daemon-kubelite.service

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=-/usr/sbin/ip link add \(Self.interface) type \(kind)
        ExecStart=/usr/sbin/ip address replace \(address)/32 dev \(Self.interface)
        ExecStart=/usr/sbin/ip link set \(Self.interface) up
        ExecStart=/usr/sbin/ip route replace default dev \(Self.interface) src \(address) metric 32760
        ExecStop=-/usr/sbin/ip link delete \(Self.interface)

        [Install]
        WantedBy=multi-user.target

        """
    }
}
