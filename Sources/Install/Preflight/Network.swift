import Hosts
import Kube
import SystemPackage

struct DefaultRoute: Check {
    let id = "net.default_route"
    let title = "There is a default route"

    func finding(on site: Site) async throws -> Finding {
        let needs = "one, also without Internet"
        if let route = try await site.node.learn(Routes()).first(where: \.isDefault) {
            return .passed(route.words, needs: needs)
        }
        return .info(
            "none", needs: needs,
            fix:
                "stage host sets one that leads nowhere; or: ip route add default via YOUR-GATEWAY, and keep it in netplan"
        )
    }
}

struct NodeAddressKept: Check {
    let id = "net.node_ip"
    let title = "The machine has an address of its own that stays"

    func finding(on site: Site) async throws -> Finding {
        let needs = "a fixed address on a network card"
        let cards = try await site.node.learn(Interfaces()).filter { !ClusterInterface.isVirtual($0.name) }
        let addresses = cards.flatMap { card in
            card.addresses.filter { $0.isGlobal && !$0.isIPv6 }.map { (text: $0.text, card: card.name) }
        }
        if let worker = site.worker, !addresses.contains(where: { $0.text == worker.entry.address }) {
            return .failed(
                "no card has \(worker.entry.address)", needs: needs,
                fix:
                    "name the machine by one of \(addresses.map(\.text).joined(separator: ", ")): the nodes must reach it there"
            )
        }
        if site.worker == nil, let wanted = site.settings.nodeIp, !addresses.contains(where: { $0.text == wanted }) {
            return .failed(
                "NODE_IP is \(wanted), and no card has it", needs: needs,
                fix: "set NODE_IP to one of \(addresses.map(\.text).joined(separator: ", ")), or leave it out")
        }
        guard !addresses.isEmpty else {
            return .failed(
                "none", needs: needs,
                fix: "give a network card one: ip address add ADDRESS/24 dev CARD, kept in netplan")
        }
        let measured = addresses.map { "\($0.text) on \($0.card)" }.joined(separator: ", ")
        let leased = try await site.node.learn(LeasedAddresses())
        guard addresses.contains(where: { !leased.contains($0.text) }) else {
            return .warning(
                "\(measured), leased", needs: needs,
                fix:
                    "make it fixed in netplan, or reserve it in the DHCP server: MicroK8s restarts everything when it changes"
            )
        }
        return .passed(measured, needs: needs)
    }
}

/// Networks that the cluster uses inside must not be in use outside.
struct FreeRange: Check {
    let id: String
    let title: String
    let range: String

    static let pods = FreeRange(id: "net.cidr_pod", title: "The pods' addresses are free here", range: "10.1.0.0/16")
    static let services = FreeRange(
        id: "net.cidr_svc", title: "The services' addresses are free here", range: "10.152.183.0/24")

    func finding(on site: Site) async throws -> Finding {
        let needs = "nothing in \(range)"
        guard let own = AddressRange(range) else { throw FactError("\(range) is no range") }
        let fix = "move that network, or take this machine off it; MicroK8s has \(range) built in"
        for card in try await site.node.learn(Interfaces()) where !ClusterInterface.isOne(card.name) {
            for address in card.addresses
            where AddressRange("\(address.text)/\(address.prefixLength)")?.overlaps(own) == true {
                return .failed(
                    "address \(address.text)/\(address.prefixLength) on \(card.name)", needs: needs, fix: fix)
            }
        }
        // Without an overlay the pods of another node are reached through that node.
        let nodes = (try? await site.kube().list("/api/v1/nodes").compactMap(\.internalAddress)) ?? []
        for route in try await site.node.learn(Routes()) {
            // Calico's own routes for pods that are gone lead over no device.
            guard let device = route.device, !ClusterInterface.isOne(device) else { continue }
            if let gateway = route.gateway, nodes.contains(gateway) { continue }
            guard let destination = AddressRange(route.destination), destination.overlaps(own) else { continue }
            // A wide route behind a gateway only hides the part that the cluster takes for itself.
            if destination.prefix < own.prefix && route.gateway != nil {
                return .warning(
                    "route \(route.words)", needs: needs,
                    fix: "hosts in \(range) cannot be reached from this machine while the cluster runs; "
                        + "if there are none, ignore this")
            }
            return .failed("route \(route.words)", needs: needs, fix: fix)
        }
        return .passed("nothing", needs: needs)
    }
}

extension Route {
    /// As `ip route` writes it.
    fileprivate var words: String {
        destination + (gateway.map { " via \($0)" } ?? "") + (device.map { " dev \($0)" } ?? "")
    }
}

struct ReversePathFilter: Check {
    let id = "net.rpfilter"
    let title = "The kernel lets answers take another way than questions"

    func finding(on site: Site) async throws -> Finding {
        let needs = "net.ipv4.conf.all.rp_filter = 0 or 2"
        guard let value = try await site.node.sysctl("net.ipv4.conf.all.rp_filter") else {
            return .info("this kernel has none", needs: needs)
        }
        return value == 1
            ? .warning(
                "1 (strict)", needs: needs, fix: "sysctl -w net.ipv4.conf.all.rp_filter=2, kept in /etc/sysctl.d")
            : .passed("\(value)", needs: needs)
    }
}

/// Each of them can be loaded, built in, or absent; only the last is a reason to stop.
struct ModulesThere: Check {
    let id = "net.modules"
    let title = "The kernel has what containers and their network want"
    static let modules = ["overlay", "br_netfilter", "nf_conntrack", "vxlan", "ip_set"]
    /// Without these three nothing runs; the others are for some networks only.
    static let vital = ["overlay", "br_netfilter", "nf_conntrack"]
    static let signs = ["br_netfilter": "net/bridge", "nf_conntrack": "net/netfilter"]

    func finding(on site: Site) async throws -> Finding {
        let needs = Self.modules.joined(separator: ", ")
        let fileSystems = (try await site.node.text(of: "/proc/filesystems") ?? "").words
        var (waiting, absent): ([String], [String]) = ([], [])
        for module in Self.modules {
            if try await site.node.hasModule(module) || fileSystems.contains(module) { continue }
            if let sign = Self.signs[module], try await site.node.has(FilePath("/proc/sys/\(sign)")) { continue }
            if try await site.node.canLoad(module) { waiting.append(module) } else { absent.append(module) }
        }
        let vital = absent.filter(Self.vital.contains)
        let fix =
            "install the kernel's modules: apt install linux-modules-extra-$(uname -r) (Ubuntu) or linux-image-amd64 (Debian)"
        if !vital.isEmpty { return .failed("without \(vital.joined(separator: ", "))", needs: needs, fix: fix) }
        if !absent.isEmpty { return .warning("\(absent.joined(separator: ", ")) not found", needs: needs, fix: fix) }
        return waiting.isEmpty
            ? .passed("all", needs: needs)
            : .info(
                "\(waiting.joined(separator: ", ")) not loaded", needs: needs, fix: "stage host and MicroK8s load them")
    }
}
