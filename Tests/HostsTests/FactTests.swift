import Hosts
import SystemPackage
import TestSupport
import Testing

@Suite struct FactTests {
    @Test(arguments: [
        (Outcome(output: "active\n"), UnitState.Value.active),
        (Outcome(status: 3, output: "inactive\n"), .inactive),
        (Outcome(status: 4, output: "unknown\n"), .unknown),
        (Outcome(status: 3, output: "activating\n"), .activating),
        (Outcome(output: "reloading\n"), .reloading),
        (Outcome(status: 3, output: "failed\n"), .failed),
    ])
    func readsAUnitsState(outcome: Outcome, state: UnitState.Value) throws {
        #expect(try UnitState("k8s").value(of: outcome) == state)
    }

    @Test func doesNotGuessAUnitsState() {
        let noBus = Outcome(status: 1, errors: "Failed to connect to bus: No such file or directory\n")
        let error = #expect(throws: FactError.self) { try UnitState("k8s").value(of: noBus) }
        #expect(error?.description.contains("Failed to connect to bus") == true)
    }

    @Test func readsRoutes() throws {
        let routes = try Routes().value(of: transcript("Routes/one-uplink.json"))
        #expect(routes.first == Route(destination: "default", gateway: "192.0.2.1", device: "eth0"))
        #expect(routes.filter(\.isDefault).count == 1)
        let others = try Routes().value(of: transcript("Routes/no-default.json"))
        #expect(others.filter(\.isDefault).isEmpty)
        #expect(others.map(\.device) == ["vxlan.calico", "host0", nil])
        #expect(others[1].metric == 100 && others[1].source == "10.0.0.7")
    }

    @Test(arguments: ["", "\n", "[ ]\n", "[]"])
    func aMachineWithoutRoutesHasNone(output: String) throws {
        #expect(try Routes().value(of: Outcome(output: output)) == [])
    }

    @Test func doesNotGuessRoutes() {
        #expect(throws: FactError.self) { try Routes().value(of: Outcome(output: "default via 10.0.0.1 dev eth0")) }
        #expect(throws: FactError.self) { try Routes().value(of: Outcome(status: 255, errors: "no -json")) }
    }

    @Test func readsInterfaces() throws {
        let all = try Interfaces().value(of: transcript("Interfaces/wired.json"))
        #expect(all.map(\.name) == ["lo", "ifb0", "eth0"])
        #expect(all.map(\.isUp) == [true, false, true])
        #expect(all[2].addresses.filter(\.isGlobal).map(\.text) == ["192.0.2.2"])
        #expect(all[2].addresses.map(\.prefixLength) == [24, 64])
    }

    @Test func readsListeners() throws {
        let all = try Listeners().value(of: transcript("Listeners/as-root.txt"))
        #expect(all.map(\.port) == [53, 5353, 22, 80, 50109, 631])
        #expect(all.map(\.isUDP) == [true, true, false, false, false, false])
        #expect(all.map(\.address) == ["127.0.0.53", "::", "0.0.0.0", "*", "127.0.0.1", "::1"])
        #expect(all.map(\.isOnLoopback) == [true, false, false, false, true, true])
        #expect(
            all.map(\.programs) == [["systemd-resolve"], [], ["sshd", "systemd"], ["nginx"], ["etcd"], ["my prog"]])
    }

    @Test func readsDiskSpace() throws {
        let ext4 = try DiskSpace(of: "/srv").value(of: transcript("DiskSpace/ext4.txt"))
        #expect(ext4.type == "ext4" && ext4.mountPoint == "/srv/my data")
        #expect(ext4.size == 270_553_174_016 && ext4.available == 77_636_481_024)
        #expect(ext4.inodesAvailable == 16_195_880)
        #expect(try DiskSpace(of: "/").value(of: transcript("DiskSpace/btrfs.txt")).inodesAvailable == nil)
        #expect(throws: FactError.self) { try DiskSpace(of: "/x").value(of: Outcome(status: 1, errors: "df: /x: no")) }
    }

    @Test func knowsHardwareFromMachinesInMachines() throws {
        #expect(try Virtualization().value(of: Outcome(status: 1, output: "none\n")) == nil)
        #expect(try Virtualization().value(of: Outcome(output: "kvm\n")) == "kvm")
        #expect(throws: FactError.self) { try Virtualization().value(of: Outcome(status: 1)) }
    }

    @Test func learnsFromFilesThroughTheTransport() async throws {
        let scripted = ScriptedHost(files: ["/proc/sys/net/ipv4/conf/eth0.7/forwarding": "1\n"])
        #expect(try await scripted.host.learn(Sysctl("net.ipv4.conf.eth0/7.forwarding")) == "1")
        #expect(try await scripted.host.learn(Sysctl("net.ipv4.no_such")) == nil)
        await #expect(throws: FactError.self) { try await scripted.host.learn(OSRelease()) }
    }
}
