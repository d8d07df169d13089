import FoundationEssentials
import Hosts
import Images
import Synchronization
import SystemPackage

@testable import Install
@testable import TestSupport

/// A server on which every check passes, by transcripts; a test then spoils one thing.
struct PreflightMachine {
    let host = ScriptedHost(name: "head")
    var settings = Settings()
    var provider: any Provider = MicroK8s()
    /// What the node has; a test may put another store in its place.
    let held = StubImages()
    var images: (any ImageStore)?
    /// What the archives hold; nil: they are read, and are none.
    var shelf: [ArchivedImage]? = []
    /// The folder with the bundle; the machine's files stand in `host`.
    let bundle: FilePath

    init() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/jhub-preflight-\(UUID().uuidString)"
        self.init(bundle: FilePath(folder))
        let state = try Self.well.get()
        host.state.withLock { $0 = state }
        try carry("k8s-hub-4.2.0.tar", "ustar")
        try carry("charts/jupyterhub-4.2.0.tgz", "gzip")
        try carry("snaps/microk8s_8142.snap", "hsqs: MicroK8s\n")
        try carry("snaps/core20_2318.snap", "hsqs: base 20 \n")
        try carry("snaps/snapd_21759.snap", "hsqs: snapd   \n")
        for name in ["microk8s_8142", "core20_2318", "snapd_21759"] {
            try carry("snaps/\(name).assert", Self.text("microk8s.assert"))
        }
    }

    private init(bundle: FilePath) {
        self.bundle = bundle
        settings.sharedStoragePath = "/srv/jhub"
    }

    /// The machine without its bundle, made once: a hundred files take their time.
    private static let well = Result<ScriptedHost.State, any Error> {
        let machine = PreflightMachine(bundle: "/nowhere")
        try machine.system()
        try machine.network()
        try machine.tools()
        machine.snap()
        return machine.host.state.withLock { $0 }
    }

    /// What can be seen in the bundle's MicroK8s: an image, and a Helm for which the chart has no object.
    private func snap() {
        host.script { command, _ in
            guard command.argv.first == "unshare", let last = command.argv.last else { return nil }
            if command.argv.contains("/boot/bin/helm") { return Outcome() }
            let isTemplate = last == "/boot/default-args/containerd-template.toml"
            return isTemplate ? Outcome(output: "sandbox_image = \"registry.k8s.io/pause:3.7\"\n") : Outcome(status: 1)
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: bundle.string) }

    /// Puts a file into the bundle, and in the machine's view of it.
    func carry(_ name: String, _ text: String) throws {
        let path = bundle.pushing(FilePath(name))
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try text.write(toFile: path.string, atomically: true, encoding: .utf8)
        host[path] = text
    }

    func drop(_ name: String) throws {
        let path = bundle.pushing(FilePath(name))
        try FileManager.default.removeItem(atPath: path.string)
        host[path] = nil
    }

    var site: Site {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        return Site(
            settings: settings, head: host.host, provider: provider,
            bundle: Bundle(at: bundle, index: bundle.appending("index.json")), root: root, images: images ?? held)
    }

    func finding(_ id: String) async throws -> Finding {
        guard let check = Preflight.standard(for: settings, Carried(shelf)).checks.first(where: { $0.id == id }) else {
            throw FactError("no check is called \(id)")
        }
        return try await check.finding(on: site)
    }

    static func text(_ name: String) throws -> String {
        let folder = FilePath(#filePath).removingLastComponent().pushing("Fixtures/preflight")
        guard let bytes = FileManager.default.contents(atPath: folder.appending(name).string) else {
            throw FactError("there is no fixture \(name)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Files of a running system that are whole transcripts.
    func put(_ path: FilePath, _ fixture: String) throws { host[path] = try Self.text(fixture) }
    func answer(_ command: Command, _ fixture: String) throws { host.answer(command, output: try Self.text(fixture)) }
}

extension PreflightMachine {
    private func system() throws {
        try put("/etc/os-release", "os-release.txt")
        try put("/proc/cpuinfo", "cpuinfo.txt")
        try put("/proc/meminfo", "meminfo.txt")
        try put("/proc/self/mountinfo", "mountinfo.txt")
        try put("/proc/1/limits", "limits.txt")
        let files: [FilePath: String] = [
            "/proc/1/comm": "systemd\n", "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
            "/proc/self/status": "Name:\tjhub-install\nUmask:\t0022\nState:\tR (running)\n",
            "/proc/sys/kernel/osrelease": "5.15.0-122-generic\n", "/proc/sys/kernel/hostname": "head\n",
            "/proc/filesystems": "nodev\tsysfs\nnodev\toverlay\n\text4\n\tsquashfs\n", "/proc/modules": "",
            "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
            "/sys/module/apparmor/parameters/enabled": "Y\n", "/dev/kmsg": "",
            "/boot/vmlinuz-5.15.0-122-generic": "MZ", "/boot/vmlinuz-5.15.0-91-generic": "MZ",
            "/etc/apt/apt.conf.d/20auto-upgrades": "APT::Periodic::Unattended-Upgrade \"0\";\n",
            "/etc/resolv.conf": "nameserver 127.0.0.53\nsearch lab.example.com\n",
            "/run/systemd/resolve/resolv.conf": "nameserver 10.99.0.1\nsearch lab.example.com\n",
            "/etc/ufw/ufw.conf": "ENABLED=no\nLOGLEVEL=low\n", "/etc/environment": "PATH=\"/usr/bin:/snap/bin\"\n",
            "/var/snap/README": "", "/var/lib/dpkg/status": "",
        ]
        for (path, text) in files { host[path] = text }
        for module in ["br_netfilter", "nf_conntrack", "vxlan", "ip_set"] {
            host.place(.directory(.ownerReadWriteExecute, .root), at: FilePath("/sys/module/\(module)"))
        }
        let numbers = [
            "fs/inotify/max_user_instances": 8192, "fs/inotify/max_user_watches": 1_048_576, "fs/aio-max-nr": 1_048_576,
            "kernel/pid_max": 4_194_304, "kernel/threads-max": 256_000, "net/ipv4/ip_forward": 1,
            "net/bridge/bridge-nf-call-iptables": 1, "net/netfilter/nf_conntrack_max": 262_144,
            "net/ipv4/conf/all/arp_ignore": 0, "net/ipv4/conf/all/rp_filter": 2,
        ]
        for (key, value) in numbers { host[FilePath("/proc/sys/\(key)")] = "\(value)\n" }
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        for file in ["templates/kubernetes/namespace.yaml", "templates/hub/10-native.py", "profiles/10-small.yaml"] {
            host[root.pushing(FilePath(file))] = "…"
        }
    }

    private func network() throws {
        try answer(["ip", "-json", "address", "show"], "addresses.json")
        try answer(["ip", "-json", "-4", "route", "show"], "routes.json")
        host.answer(["ip", "-4", "-oneline", "address", "show", "dynamic"], output: "")
        try answer(["ss", "--listening", "--tcp", "--numeric", "--processes", "--no-header"], "ss.txt")
        host.answer(
            ["getent", "ahosts", "localhost"], output: "127.0.0.1       STREAM localhost\n127.0.0.1       DGRAM  \n")
        host.answer(["getent", "ahosts", "head"], output: "10.99.0.2       STREAM head\n10.99.0.2       DGRAM  \n")
        host.answer(["systemctl", "show-environment"], output: "LANG=C.UTF-8\nPATH=/usr/sbin:/usr/bin\n")
        host.answer(
            ["systemctl", "show", "--property=Environment", "--value", "--", "snapd.service"],
            output: "SNAPD_STANDALONE_SNAPSHOT=1\n")
        for name in ["ufw", "NetworkManager", "snapd"] { units([name: .absent]) }
    }

    private func tools() throws {
        for program in ["ip", "modprobe", "mount", "umount", "sudo", "sysctl", "ss", "snap", "openssl"] {
            host[FilePath("/usr/bin/\(program)")] = "\u{7f}ELF"
        }
        let answers: [Command: String] = [
            ["id", "-u"]: "0\n", ["uname", "-m"]: "x86_64\n", ["uname", "-r"]: "5.15.0-122-generic\n",
            ["getconf", "GNU_LIBC_VERSION"]: "glibc 2.35\n", ["nproc"]: "8\n", ["systemd-detect-virt"]: "kvm\n",
            ["systemctl", "is-system-running"]: "running\n", ["locale", "-a"]: "C\nC.utf8\nPOSIX\n",
            ["dmesg", "--notime"]: "Linux version 5.15.0-122-generic\n", ["date", "+%s"]: "1795262400\n",
        ]
        for (command, output) in answers { host.answer(command, output: output) }
        try answer(["timedatectl", "show"], "timedatectl.txt")
        try answer(["snap", "version"], "snap-version.txt")
        host.answer(
            ["snap", "list"],
            Outcome(errors: "No snaps are installed yet. Try 'snap install hello-world'.\n"))
        host.answer(where: { $0.argv.first == "df" }, Outcome(output: try Self.text("df.txt")))
        host.answer(where: { $0.argv.first == "perl" }, Outcome(output: "10030 1830\n"))
        host.answer(where: { $0.argv.first == "stat" }, Outcome(output: "1795000000 k8s-hub-4.2.0.tar\n"))
        let digest = String(repeating: "aa", count: 48)
        host.answer(where: { $0.argv.starts(with: ["openssl", "dgst"]) }, Outcome(output: "\(digest) *file\n"))
        host.answer(
            where: { $0.argv.starts(with: ["openssl", "pkey"]) }, Outcome(output: try Self.text("public-key.txt")))
        try certificate("hub", "certificate.txt")
    }

    /// What openssl says of a certificate whose file has this name.
    func certificate(_ name: String, _ fixture: String) throws {
        let outcome = Outcome(output: try Self.text(fixture))
        host.answer(
            where: { $0.argv.starts(with: ["openssl", "x509"]) && $0.argv[3].hasSuffix("/\(name).crt") }, outcome)
    }

    enum Unit: Sendable { case absent, active, inactive, failed }

    /// Units that systemd knows from now on; it has never heard of the others.
    func units(_ states: [String: Unit]) {
        host.script { command, _ in
            guard command.argv.starts(with: ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState"])
            else { return nil }
            let blocks = command.argv.dropFirst(4).map { unit in
                switch states[String(unit.split(separator: ".service")[0])] ?? .absent {
                case .absent: "Id=\(unit)\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
                case .active: "Id=\(unit)\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
                case .inactive: "Id=\(unit)\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"
                case .failed: "Id=\(unit)\nLoadState=loaded\nActiveState=failed\nUnitFileState=enabled\n"
                }
            }
            return Outcome(output: blocks.joined(separator: "\n"))
        }
    }

    /// An earlier run of ours has put MicroK8s here.
    func installMicroK8s() throws {
        try answer(["snap", "list"], "snap-list.txt")
        units(["snap.microk8s.daemon-containerd": .active, "snap.microk8s.daemon-kubelite": .active])
        for name in ["ca", "server", "kubelet"] {
            host[FilePath("/var/snap/microk8s/current/certs/\(name).crt")] = "PEM"
        }
        for name in ["ca", "kubelet"] { try certificate(name, "kubelet-certificate.txt") }
        try certificate("server", "certificate.txt")
    }
}
