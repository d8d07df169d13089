import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PreflightHost {
    static let system: [PreflightFault] = [
        PreflightFault("os.root", .failed, "uid 1000", "sudo jhub-install") {
            $0.host.answer(["id", "-u"], output: "1000\n")
        },
        PreflightFault("os.release", .failed, "Rocky Linux 9.4 (Blue Onyx)") {
            try $0.put("/etc/os-release", "os-release-rocky.txt")
        },
        PreflightFault("os.release", .failed, "Ubuntu 20.04") {
            $0.host["/etc/os-release"] = "ID=ubuntu\nVERSION_ID=\"20.04\"\nPRETTY_NAME=\"Ubuntu 20.04.6 LTS\"\n"
        },
        PreflightFault("os.arch", .failed, "aarch64") { $0.host.answer(["uname", "-m"], output: "aarch64\n") },
        PreflightFault("os.glibc", .failed, "glibc 2.34") {
            $0.host.answer(["getconf", "GNU_LIBC_VERSION"], output: "glibc 2.34\n")
        },
        PreflightFault("os.glibc", .failed, "no glibc") {
            $0.host.answer(
                ["getconf", "GNU_LIBC_VERSION"],
                Outcome(status: 1, errors: "getconf: GNU_LIBC_VERSION: unknown variable\n"))
        },
        PreflightFault("os.kernel", .warning, "5.4.0-190-generic") {
            $0.host.answer(["uname", "-r"], output: "5.4.0-190-generic\n")
        },
        PreflightFault("os.kernel", .failed, "4.4.0") {
            $0.host.answer(["uname", "-r"], output: "4.4.0-210-generic\n")
        },
        PreflightFault("os.systemd", .failed, "process 1 is init") { $0.host["/proc/1/comm"] = "init\n" },
        PreflightFault("os.systemd", .warning, "degraded", "systemctl --failed") {
            $0.host.answer(["systemctl", "is-system-running"], output: "degraded\n", status: 1)
        },
        PreflightFault("os.cpu", .warning, "2 cores") { $0.host.answer(["nproc"], output: "2\n") },
        PreflightFault("os.cpu", .failed, "1 core") { $0.host.answer(["nproc"], output: "1\n") },
        PreflightFault("os.cpu_level", .failed, "lacks popcnt, sse4_1, sse4_2, ssse3") {
            try $0.put("/proc/cpuinfo", "cpuinfo-qemu64.txt")
        },
        PreflightFault("os.mem", .warning, "5.7 GiB") {
            $0.host["/proc/meminfo"] = "MemTotal: 6000000 kB\nMemAvailable: 1 kB\nSwapTotal: 0 kB\n"
        },
        PreflightFault("os.mem", .failed, "1.9 GiB") {
            $0.host["/proc/meminfo"] = "MemTotal: 2000000 kB\nMemAvailable: 1 kB\nSwapTotal: 0 kB\n"
        },
        PreflightFault("os.swap", .warning, "/swap.img", "swapoff -a") {
            $0.host["/proc/swaps"] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/swap.img file 4194300 0 -2\n"
        },
    ]

    static let environment: [PreflightFault] = [
        PreflightFault("os.cgroup_ctrl", .failed, "without cpuset") {
            $0.host["/sys/fs/cgroup/cgroup.controllers"] = "cpu io memory pids\n"
        },
        PreflightFault("os.cgroup_ctrl", .failed, "without memory") {
            $0.host["/sys/fs/cgroup/cgroup.controllers"] = nil
            try $0.put("/proc/cgroups", "cgroups-v1.txt")
        },
        PreflightFault("os.cgroup", .info, "v1") { $0.host["/sys/fs/cgroup/cgroup.controllers"] = nil },
        PreflightFault("os.container", .warning, "systemd-nspawn") {
            $0.host.answer(["systemd-detect-virt"], output: "systemd-nspawn\n")
        },
        PreflightFault("os.container", .failed, "lxc, and it has no /dev/kmsg") {
            $0.host.answer(["systemd-detect-virt"], output: "lxc\n")
            $0.host["/dev/kmsg"] = nil
        },
        PreflightFault("os.container", .failed, "Windows") { $0.host.answer(["systemd-detect-virt"], output: "wsl\n") },
        PreflightFault("os.apparmor", .warning, "off") { $0.host["/sys/module/apparmor/parameters/enabled"] = nil },
        PreflightFault("os.selinux", .failed, "enforcing", "setenforce 0") { $0.host["/sys/fs/selinux/enforce"] = "1" },
        PreflightFault("os.proc_sys", .failed, "hidepid=2") { machine in
            let text = try PreflightMachine.text("mountinfo.txt")
            machine.host["/proc/self/mountinfo"] = text.replacing("- proc proc rw", with: "- proc proc rw,hidepid=2")
        },
        PreflightFault("os.tools", .failed, "without sudo", "apt install sudo") { $0.host["/usr/bin/sudo"] = nil },
        PreflightFault("os.fds", .warning, "4096") {
            $0.host["/proc/1/limits"] =
                "Max open files            1024                 4096                 files     \n"
        },
        PreflightFault("os.umask", .warning, "0077") {
            $0.host["/proc/self/status"] = "Name:\tjhub-install\nUmask:\t0077\n"
        },
        PreflightFault("os.locale_tz", .info, "none") { $0.host.answer(["locale", "-a"], output: "C\nPOSIX\n") },
        PreflightFault("os.reboot_required", .warning, "linux-base, linux-image") {
            $0.host["/run/reboot-required"] = "*** System restart required ***\n"
            $0.host["/run/reboot-required.pkgs"] = "linux-image-5.15.0-125-generic\nlinux-base\n"
        },
        PreflightFault("os.kernel_pending", .warning, "5.15.0-125-generic is installed") {
            $0.host["/boot/vmlinuz-5.15.0-125-generic"] = "MZ"
        },
        PreflightFault("os.unattended", .warning, "on") {
            $0.host["/etc/apt/apt.conf.d/20auto-upgrades"] = "APT::Periodic::Unattended-Upgrade \"1\";\n"
        },
        PreflightFault("os.thirdparty", .warning, "CrowdStrike Falcon") { $0.units(["falcon-sensor": .active]) },
        PreflightFault("os.existing_k8s", .failed, "k3s (k3s.service)", "CLUSTER_PROVIDER=existing") {
            $0.units(["k3s": .active])
        },
        PreflightFault("os.existing_k8s", .failed, "a kubelet") { $0.units(["kubelet": .failed]) },
        PreflightFault("os.existing_k8s", .failed, "a Docker swarm") {
            $0.host["/usr/bin/docker"] = "ELF"
            $0.host.answer(["/usr/bin/docker", "info", "--format", "{{.Swarm.LocalNodeState}}"], output: "active\n")
        },
    ]

    static let kernel: [PreflightFault] = [
        number("os.inotify_inst", "fs/inotify/max_user_instances", 128, "stage host sets it"),
        number("os.inotify_watch", "fs/inotify/max_user_watches", 65_536, "stage host sets it"),
        number("os.aio", "fs/aio-max-nr", 65_536, "sysctl -w fs.aio-max-nr=1048576"),
        number("os.pid_max", "kernel/pid_max", 32_768, "4194304"),
        number("os.threads_max", "kernel/threads-max", 8000, "32768"),
        number("net.forward", "net/ipv4/ip_forward", 0, "stage host sets it"),
        number("net.bridge_nf", "net/bridge/bridge-nf-call-iptables", 0, "stage host sets it"),
        number("net.conntrack", "net/netfilter/nf_conntrack_max", 65_536, "kube-proxy sets it"),
        number("net.arp", "net/ipv4/conf/all/arp_ignore", 1, "arp_ignore=0"),
        PreflightFault("net.rpfilter", .warning, "1 (strict)", "rp_filter=2") {
            $0.host["/proc/sys/net/ipv4/conf/all/rp_filter"] = "1\n"
        },
        PreflightFault("net.forward", .failed, "read-only") { machine in
            machine.host["/proc/sys/net/ipv4/ip_forward"] = "0\n"
            let line = "40 23 0:22 /sys /proc/sys ro,nosuid,nodev,noexec,relatime - proc proc rw\n"
            machine.host["/proc/self/mountinfo"] = try PreflightMachine.text("mountinfo.txt") + line
        },
        PreflightFault("net.bridge_nf", .info, "has no net.bridge.bridge-nf-call-iptables yet") {
            $0.host["/proc/sys/net/bridge/bridge-nf-call-iptables"] = nil
        },
    ]

    private static func number(_ id: String, _ key: String, _ value: Int, _ fix: String) -> PreflightFault {
        PreflightFault(id, .info, "\(value)", fix) { $0.host[FilePath("/proc/sys/\(key)")] = "\(value)\n" }
    }

    @Test(arguments: system + environment + kernel) func isFound(_ fault: PreflightFault) async throws {
        try await fault.expect()
    }

    /// Debian 12's first kernel of cgroup v1 in a container, as the lab has it.
    @Test func aHybridOfControlGroupsIsGood() async throws {
        let machine = try PreflightMachine()
        defer { machine.remove() }
        machine.host["/sys/fs/cgroup/cgroup.controllers"] = nil
        machine.host["/proc/cgroups"] = try PreflightMachine.text("cgroups-v1.txt").replacing(
            "memory\t0\t43\t0", with: "memory\t4\t43\t1")
        #expect(try await machine.finding("os.cgroup_ctrl").verdict == .passed)
    }

    @Test func versionsAreComparedNumberByNumber() {
        #expect(Version("5.15.0-122-generic") > Version("5.4.0-190-generic"))
        #expect(Version("6.1") >= Version("6.1"))
        #expect(Version("2.63+22.04").numbers == [2, 63])
    }

    @Test func bytesAreWrittenWithOneDecimal() {
        #expect(Int64(0).asBytes == "0 B")
        #expect(Int64(1536).asBytes == "1.5 KiB")
        #expect(Int64(100 << 30).asBytes == "100 GiB")
        #expect(Int64(1023 << 20).asBytes == "1023 MiB")
    }
}
