import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PrepareHostTests {
    let machine: TestMachine
    private var host: ScriptedHost { machine.host }

    /// A machine without a way out, which does what it is told.
    init() throws {
        machine = try TestMachine()
        try machine.hasNoRoute()
        host["/etc/hosts"] = "127.0.0.1 localhost\n127.0.1.1 Head\n"
        host["/proc/sys/fs/inotify/max_user_instances"] = "128\n"
        host["/proc/sys/fs/inotify/max_user_watches"] = "65536\n"
        host["/proc/sys/net/ipv4/ip_forward"] = "0\n"
        host.answer(["modprobe", "--dry-run", "--quiet", "dummy"], Outcome())
        host.script { command, host in
            if command.argv.starts(with: ["sysctl", "-q", "-w"]) { return Self.set(command.argv[3], on: host) }
            if command.argv.starts(with: ["modprobe"]), command.argv.count == 2 {
                return Self.load(command.argv[1], on: host)
            }
            return nil
        }
        host.answer(["systemctl", "daemon-reload"], Outcome())
        host.answer(["systemctl", "enable", "jhub-default-route.service"]) { $0[Self.bootLink] = "" }
        host.answer(["systemctl", "restart", "jhub-default-route.service"]) { host in
            host.answer(
                ["ip", "-json", "-4", "route", "show"],
                output: #"[{"dst":"default","dev":"dummyjhub0","prefsrc":"10.99.0.2","metric":32760}]"#)
        }
    }

    private static let bootLink: FilePath =
        "/etc/systemd/system/multi-user.target.wants/jhub-default-route.service"

    private static func set(_ pair: String, on host: ScriptedHost) -> Outcome {
        let words = pair.split(separator: "=").map(String.init)
        host[FilePath("/proc/sys/" + words[0].replacing(".", with: "/"))] = words[1] + "\n"
        return Outcome()
    }

    private static func load(_ module: String, on host: ScriptedHost) -> Outcome {
        host.place(.directory(.ownerReadWriteExecute, .root), at: FilePath("/sys/module/\(module)"))
        if module == "br_netfilter" {
            host["/proc/sys/net/bridge/bridge-nf-call-iptables"] = "1\n"
            host["/proc/sys/net/bridge/bridge-nf-call-ip6tables"] = "0\n"
        }
        if module == "nf_conntrack" { host["/proc/sys/net/netfilter/nf_conntrack_max"] = "65536\n" }
        return Outcome()
    }

    private func install() async throws {
        try await Installer(stages: [PrepareHost()], record: machine.record).run(on: machine.site)
    }

    private func changes() async throws -> [Change] { try await machine.changes(of: PrepareHost()) }

    @Test func aBareMachineLacksAll() async throws {
        let changes = try await changes()
        #expect(
            changes.files == [
                "/etc/modules-load.d/jhub.conf", "/etc/sysctl.d/90-jhub.conf", "/etc/hosts",
                "/etc/systemd/system/jhub-default-route.service",
            ])
        #expect(
            changes.commands == [
                "modprobe overlay", "modprobe br_netfilter", "modprobe vxlan", "modprobe nf_conntrack",
                "sysctl -q -w net.ipv4.ip_forward=1", "sysctl -q -w fs.inotify.max_user_instances=8192",
                "sysctl -q -w fs.inotify.max_user_watches=1048576", "systemctl daemon-reload",
                "systemctl enable jhub-default-route.service", "systemctl restart jhub-default-route.service",
            ])
        #expect(host.writes.isEmpty)
    }

    @Test func aSecondRunChangesNothing() async throws {
        try await install()
        // The bridge's settings are there only since its module is.
        #expect(host["/proc/sys/net/bridge/bridge-nf-call-ip6tables"] == "1\n")
        #expect(host["/etc/hosts"]?.hasPrefix("127.0.0.1 localhost\n127.0.1.1 Head\n# BEGIN") == true)
        #expect(host["/etc/hosts"]?.contains("\n10.99.0.2 Head\n") == true)
        #expect(try await PrepareHost().plan(for: machine.site) == .settled)
        let lines = try machine.folder.text("record/changes.jsonl")
        try await install()
        #expect(try machine.folder.text("record/changes.jsonl") == lines)
    }

    static let damages: [(String, [String], @Sendable (ScriptedHost) -> Void)] = [
        ("a sysctl", ["run sysctl -q -w net.ipv4.ip_forward=1"], { $0["/proc/sys/net/ipv4/ip_forward"] = "0\n" }),
        (
            "a sysctl's file", ["write /etc/sysctl.d/90-jhub.conf"],
            { $0["/etc/sysctl.d/90-jhub.conf"] = "net.ipv4.ip_forward = 0\n" }
        ),
        ("a module", ["run modprobe vxlan"], { $0["/sys/module/vxlan"] = nil }),
        (
            "the modules' file", ["write /etc/modules-load.d/jhub.conf"],
            { $0["/etc/modules-load.d/jhub.conf"] = nil }
        ),
        ("the hosts", ["write /etc/hosts"], { $0["/etc/hosts"] = "127.0.0.1 localhost\n" }),
        (
            "the route", ["run systemctl restart jhub-default-route.service"],
            { $0.answer(["ip", "-json", "-4", "route", "show"], output: "[]") }
        ),
        ("the route at boot", ["run systemctl enable jhub-default-route.service"], { $0[bootLink] = nil }),
    ]

    @Test(arguments: damages.indices)
    func eachDamageGivesJustItsChange(_ index: Int) async throws {
        try await install()
        let (what, actions, damage) = Self.damages[index]
        damage(host)
        let found = try await changes().map { String($0.action.description.split(separator: " (")[0]) }
        #expect(found == actions, "\(what)")
        try await install()
        #expect(try await PrepareHost().plan(for: machine.site) == .settled)
    }

    @Test func aLargerLimitIsKept() async throws {
        host["/proc/sys/fs/inotify/max_user_watches"] = "2097152\n"
        let changes = try await changes()
        #expect(!changes.commands.contains { $0.contains("max_user_watches") })
        let file = changes.compactMap(\.file).first { $0.path == KernelSettings.file }
        let text = String(decoding: file?.contents ?? [], as: UTF8.self)
        #expect(text.contains("max_user_watches = 2097152\n"))
    }

    @Test func aSettingIsTakenBackByItsOldValue() async throws {
        let change = try await changes().first { $0.argv?.last == "net.ipv4.ip_forward=1" }
        guard case .run(_, let undo)? = change?.action else { return #expect(Bool(false)) }
        #expect(undo == ["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"])
        #expect(change?.reason == "net.ipv4.ip_forward is 0")
    }

    @Test func builtInModulesCount() async throws {
        machine.has("/sys/module/overlay")
        machine.has("/sys/module/vxlan")
        #expect(try await changes().commands.filter { $0.hasPrefix("modprobe") }.count == 2)
    }

    @Test func aMachineWithAWayOutKeepsIt() async throws {
        machine.route("routes.json", try PreflightMachine.text("routes.json"))
        #expect(try await changes().allSatisfy { !$0.description.contains("jhub-default-route") })
    }

    @Test func withoutDummiesTheRouteIsABridge() async throws {
        host.answer(["modprobe", "--dry-run", "--quiet", "dummy"], Outcome(status: 1))
        #expect(try await NowhereRoute.kind(on: host.host) == "bridge")
        machine.has("/sys/module/dummy")
        #expect(try await NowhereRoute.kind(on: host.host) == "dummy")
    }

    @Test func theUnitMakesTheRoute() {
        let unit = NowhereRoute(address: "10.0.0.7", kind: "bridge").unit
        #expect(
            unit.split(separator: "\n").filter { $0.hasPrefix("Exec") } == [
                "ExecStart=-/usr/sbin/ip link add dummyjhub0 type bridge",
                "ExecStart=/usr/sbin/ip address replace 10.0.0.7/32 dev dummyjhub0",
                "ExecStart=/usr/sbin/ip link set dummyjhub0 up",
                "ExecStart=/usr/sbin/ip route replace default dev dummyjhub0 src 10.0.0.7 metric 32760",
                "ExecStop=-/usr/sbin/ip link delete dummyjhub0",
            ])
        #expect(unit.hasSuffix("WantedBy=multi-user.target\n"))
        #expect(NowhereRoute.interface.utf8.count < 16)
    }
}
