import Hosts
import SystemPackage
import TestSupport
import Testing

@Suite struct FileFactTests {
    @Test func readsTheSystemsName() throws {
        let debian = try OSRelease().value(of: fixture("OSRelease/debian-12.txt"))
        #expect(debian.id == "debian" && debian.version == "12" && debian.name == "Debian GNU/Linux 12 (bookworm)")
        let ubuntu = try OSRelease().value(of: fixture("OSRelease/ubuntu-22.04.txt"))
        #expect(ubuntu.id == "ubuntu" && ubuntu.version == "22.04" && ubuntu.like == ["debian"])
        let odd = try OSRelease().value(of: fixture("OSRelease/odd.txt"))
        #expect(odd.id == "arch" && odd.version == nil && odd.like == ["rhel", "fedora"])
        #expect(odd.name == #"A "quoted" $name"#)
        #expect(throws: FactError.self) { try OSRelease().value(of: "NAME=x\n") }
    }

    @Test func readsMemory() throws {
        let memory = try MemoryInfo().value(of: fixture("MemoryInfo/no-swap.txt"))
        #expect(memory.total == 24_684_096 << 10 && memory.swap == 0)
        #expect(throws: FactError.self) { try MemoryInfo().value(of: "MemTotal: lots\n") }
        #expect(throws: FactError.self) { try MemoryInfo().value(of: nil) }
    }

    @Test func readsMounts() throws {
        let mounts = try Mounts().value(of: fixture("Mounts/server.txt"))
        #expect(mounts.map(\.type) == ["proc", "sysfs", "ext4", "xfs", "nfs4", "tmpfs"])
        #expect(mounts[3].point == "/srv/my data" && mounts[3].source == "/dev/sdb1")
        #expect(mounts[4].options.isSuperset(of: ["ro", "vers=4.2"]))
        #expect(throws: FactError.self) { try Mounts().value(of: "22 27 0:21 /\n") }
    }

    @Test(arguments: [
        ("/srv/my data/x", "xfs"), ("/srv/my database", "ext4"), ("/srv/share/a", "tmpfs"), ("/", "ext4"),
        ("/proc/1", "proc"),
    ])
    func knowsTheMountAPathLiesOn(path: FilePath, type: String) throws {
        let mounts = try Mounts().value(of: fixture("Mounts/server.txt"))
        #expect(mounts.holding(path)?.type == type)
    }

    @Test(arguments: [
        ("br_netfilter", true), ("ip-tables", true), ("vxlan", true), ("dummy", false), ("nf_conntrack", true),
    ])
    func findsModulesLoadedAndBuiltIn(module: String, isThere: Bool) async throws {
        let scripted = ScriptedHost(files: [
            "/proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
            "/proc/modules": "br_netfilter 32768 0 - Live 0x0\nip_tables 36864 2 a,b, Live 0x0\n",
            "/lib/modules/6.1.0-18-amd64/modules.builtin":
                "kernel/drivers/net/vxlan/vxlan.ko\nkernel/x/dummy_hcd.ko.xz\n",
            "/sys/module/nf_conntrack/parameters/hashsize": "1",
        ])
        #expect(try await scripted.host.hasModule(module) == isThere)
    }

    @Test func aKernelWithoutModulesHasNoneLoaded() throws {
        #expect(try LoadedModules().value(of: nil) == [])
    }
}
