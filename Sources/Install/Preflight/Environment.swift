import Hosts
import SystemPackage

struct ControlGroups: Check {
    let id = "os.cgroup_ctrl"
    let title = "The kernel can limit what pods take"
    static let needed = ["cpu", "cpuset", "memory", "pids"]

    func finding(on site: Site) async throws -> Finding {
        let needs = Self.needed.joined(separator: ", ")
        let there: [String]
        if let unified = try await site.node.text(of: "/sys/fs/cgroup/cgroup.controllers") {
            there = unified.words
        } else {
            guard let table = try await site.node.text(of: "/proc/cgroups") else {
                throw FactError("there is no /proc/cgroups")
            }
            // Columns: name, hierarchy (0: mounted nowhere), groups, enabled.
            there = table.lines.map(\.words).filter { $0.count == 4 && $0[1] != "0" && $0[3] == "1" }.map { $0[0] }
        }
        let lacking = Self.needed.filter { !there.contains($0) }
        return lacking.isEmpty
            ? .passed(there.sorted().joined(separator: ", "), needs: needs)
            : .failed(
                "without \(lacking.joined(separator: ", "))", needs: needs,
                fix:
                    "boot with cgroup_enable=memory,cpuset swapaccount=1 in GRUB_CMDLINE_LINUX, then update-grub and reboot"
            )
    }
}

struct ControlGroupVersion: Check {
    let id = "os.cgroup"
    let title = "The version of control groups serves for the years to come"

    func finding(on site: Site) async throws -> Finding {
        let needs = "v2 (Kubernetes 1.35 and later take no other)"
        if try await site.node.has("/sys/fs/cgroup/cgroup.controllers") { return .passed("v2", needs: needs) }
        return .info("v1", needs: needs, fix: "before an upgrade: boot with systemd.unified_cgroup_hierarchy=1")
    }
}

struct WholeMachine: Check {
    let id = "os.container"
    let title = "This is a machine, not a container in one"
    /// As systemd-detect-virt names them; what else it says is a virtual machine.
    static let containers: Set = [
        "container-other", "docker", "lxc", "lxc-libvirt", "openvz", "podman", "pouch", "proot", "rkt",
        "systemd-nspawn",
    ]

    func finding(on site: Site) async throws -> Finding {
        let needs = "hardware or a virtual machine"
        let kind = try await site.node.learn(Virtualization()) ?? "hardware"
        let move = "install on hardware or in a virtual machine"
        switch kind {
        case "wsl": return .failed("Windows' subsystem for Linux", needs: needs, fix: move)
        case let kind where !Self.containers.contains(kind): return .passed(kind, needs: needs)
        default:
            guard try await site.node.has("/dev/kmsg") else {
                return .failed(
                    "\(kind), and it has no /dev/kmsg", needs: needs, fix: "\(move); MicroK8s refuses to start here")
            }
            return .warning(kind, needs: needs, fix: "\(move), unless this container was made for Kubernetes")
        }
    }
}

struct AppArmor: Check {
    let id = "os.apparmor"
    let title = "AppArmor confines snaps and containers"

    func finding(on site: Site) async throws -> Finding {
        let state = try await site.node.text(of: "/sys/module/apparmor/parameters/enabled")?.trimmed
        return state == "Y"
            ? .passed("on", needs: "on")
            : .warning(
                "off", needs: "on",
                fix:
                    "apt install apparmor, and boot with apparmor=1 security=apparmor; without it containers are confined less"
            )
    }
}

struct NoSELinux: Check {
    let id = "os.selinux"
    let title = "SELinux does not forbid what MicroK8s does"

    func finding(on site: Site) async throws -> Finding {
        let state = try await site.node.text(of: "/sys/fs/selinux/enforce")?.trimmed
        return state == "1"
            ? .failed(
                "enforcing", needs: "off or permissive",
                fix: "setenforce 0, and SELINUX=permissive in /etc/selinux/config")
            : .passed(state == "0" ? "permissive" : "off", needs: "off or permissive")
    }
}

struct ProcessesVisible: Check {
    let id = "os.proc_sys"
    let title = "/proc and /sys show what kubelet wants to see"

    func finding(on site: Site) async throws -> Finding {
        let needs = "both mounted, no hidepid"
        let mounts = try await site.node.learn(Mounts())
        guard mounts.contains(where: { $0.point == "/sys" && $0.type == "sysfs" }),
            let proc = mounts.last(where: { $0.point == "/proc" && $0.type == "proc" })
        else {
            return .failed(
                "/proc or /sys is missing", needs: needs, fix: "mount them as /etc/fstab of a fresh system does")
        }
        let hiding = proc.options.first { $0.hasPrefix("hidepid=") && $0 != "hidepid=0" && $0 != "hidepid=off" }
        guard let hiding else { return .passed("both, no hidepid", needs: needs) }
        return .failed(
            "/proc with \(hiding)", needs: needs,
            fix: "mount -o remount,hidepid=0 /proc, and take hidepid out of /etc/fstab")
    }
}

struct ToolsThere: Check {
    let id = "os.tools"
    let title = "The programs that MicroK8s and the installer call are there"
    /// MicroK8s' own scripts call sudo even as root; iptables it brings itself.
    static let packages = [
        "ip": "iproute2", "modprobe": "kmod", "mount": "mount", "umount": "mount", "sudo": "sudo", "sysctl": "procps",
        "ss": "iproute2",
    ]

    func finding(on site: Site) async throws -> Finding {
        let names = Self.packages.keys.sorted()
        var lacking: [String] = []
        for name in names where try await site.node.program(name) == nil { lacking.append(name) }
        let needs = names.joined(separator: ", ")
        guard !lacking.isEmpty else { return .passed("all", needs: needs) }
        let packages = Set(lacking.compactMap { Self.packages[$0] }).sorted().joined(separator: " ")
        return .failed(
            "without \(lacking.joined(separator: ", "))", needs: needs,
            fix:
                "install the packages \(packages), from the bundle's packages/ or the system's disc: apt install \(packages)"
        )
    }
}
