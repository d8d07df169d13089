import Hosts

/// The address by which the cluster and the users know this machine.
package enum NodeAddress {
    /// A worker's is that of the inventory. The head's is as `NODE_IP` says; else that of the default route's interface; else the first that other machines may use.
    package static func of(_ site: Site) async throws -> String {
        if let stated = site.worker?.entry.address ?? site.settings.nodeIp { return stated }
        let routes = try await site.node.learn(Routes())
        let interfaces = try await site.node.learn(Interfaces())
        guard let address = chosen(from: interfaces, routes) else {
            throw InstallError.refused(
                "\(site.node.name) has no address that other machines could use: give it one, or set NODE_IP in the config"
            )
        }
        return address
    }

    static func chosen(from interfaces: [Interface], _ routes: [Route]) -> String? {
        func address(of interface: Interface) -> String? {
            interface.addresses.first { !$0.isIPv6 && $0.isGlobal }?.text
        }
        let real = interfaces.filter { interface in
            interface.isUp && !virtual.contains { interface.name.hasPrefix($0) }
        }
        let ways = routes.filter(\.isDefault).sorted { $0.metric < $1.metric }.compactMap(\.device)
        for way in ways {
            if let interface = real.first(where: { $0.name == way }), let found = address(of: interface) {
                return found
            }
        }
        return real.lazy.compactMap(address).first
    }

    /// Interfaces of containers, of overlays, and of our own route to nowhere.
    private static let virtual = [
        "lo", "cali", "cni", "cilium", "docker", "br-", "virbr", "veth", "vxlan", "flannel", "tunl", "kube", "lxc",
        NowhereRoute.interface,
    ]
}
