import TestSupport
import Testing

@testable import Hosts
@testable import Install

@Suite struct NodeAddressTests {
    private func interface(_ name: String, _ addresses: String..., isUp: Bool = true) -> Interface {
        Interface(
            name: name, isUp: isUp, mtu: 1500, hardware: nil,
            addresses: addresses.map { text in
                let isLocal = text.hasPrefix("169.254.") || text.hasPrefix("127.") || text.hasPrefix("fe80:")
                return .init(isIPv6: text.contains(":"), text: text, prefixLength: 24, isGlobal: !isLocal)
            })
    }

    private func way(_ device: String, _ metric: Int = 0) -> Route {
        Route(destination: "default", gateway: "10.0.0.1", device: device, metric: metric)
    }

    @Test func theDefaultRoutesInterfaceHasIt() {
        let interfaces = [interface("lo", "127.0.0.1"), interface("eth0", "10.0.0.7"), interface("eth1", "10.1.0.7")]
        #expect(NodeAddress.chosen(from: interfaces, [way("eth1")]) == "10.1.0.7")
        #expect(NodeAddress.chosen(from: interfaces, [way("eth1", 200), way("eth0", 100)]) == "10.0.0.7")
    }

    @Test func withoutARouteTheFirstThatOthersMayUseIsTaken() {
        let interfaces = [
            interface("lo", "127.0.0.1"), interface("eth0", "169.254.7.7"), interface("eth1", "fe80::1", "10.1.0.7"),
        ]
        #expect(NodeAddress.chosen(from: interfaces, []) == "10.1.0.7")
        #expect(NodeAddress.chosen(from: interfaces, [way("eth0")]) == "10.1.0.7")
        #expect(NodeAddress.chosen(from: [interface("lo", "127.0.0.1")], []) == nil)
        #expect(NodeAddress.chosen(from: [interface("eth0", "10.0.0.7", isUp: false)], []) == nil)
    }

    @Test(arguments: [
        "cali0a1b", "cni0", "docker0", "br-0a1b", "vxlan.calico", "flannel.1", "tunl0", NowhereRoute.interface,
    ])
    func anInterfaceOfContainersOrOursIsNotTaken(_ name: String) {
        let interfaces = [interface(name, "10.1.34.128"), interface("br0", "10.0.0.7")]
        #expect(NodeAddress.chosen(from: interfaces, [way(name)]) == "10.0.0.7")
    }

    @Test func theConfigGoesFirst() async throws {
        var machine = try TestMachine()
        #expect(try await NodeAddress.of(machine.site) == TestMachine.address)
        machine.settings.nodeIp = "10.0.0.99"
        #expect(try await NodeAddress.of(machine.site) == "10.0.0.99")
    }

    @Test func aMachineWithoutOneIsToldWhatToDo() async throws {
        let machine = try TestMachine()
        machine.host.answer(["ip", "-json", "address", "show"], output: "[]")
        let error = await #expect(throws: InstallError.self) { try await NodeAddress.of(machine.site) }
        #expect(error?.description.contains("set NODE_IP") == true)
    }
}
