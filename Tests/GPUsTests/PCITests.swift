import SystemPackage
import Testing

@testable import GPUs

@Suite struct PCITests {
    @Test(
        arguments: [
            ("00000000:3B:00.0", "0000:3b:00.0"), ("0000:3b:00.0", "0000:3b:00.0"), ("PCI:0000:3b:00", "0000:3b:00.0"),
            ("0000:3b:00", "0000:3b:00.0"), ("3b:1f.7", "0000:3b:1f.7"), ("PCI:0009:01:00", "0009:01:00.0"),
            ("10000:e1:00.0", "10000:e1:00.0"),
        ])
    func allFormsOfAnAddressAreOne(_ text: String, _ address: String) {
        #expect(PCIAddress(text)?.description == address)
    }

    @Test(
        arguments: [
            "", "3b", "invalid", "0000:3b:20.0", "0000:3b:00.8", "0000:100:00.0", "0:0:0:0", "3b:00.", "g0:00",
        ])
    func whatIsNoAddressIsNone(_ text: String) {
        #expect(PCIAddress(text) == nil)
    }

    @Test func findsTheGPUsAndSwitchesOfTheBus() throws {
        let driver = try FakeDriver()
        try driver.plug("0000:3b:00.0")
        try driver.plug("0000:01:00.0", kind: "0x030000", driver: nil)
        try driver.plug("0000:c4:00.0", kind: "0x068000", driver: "nvidia-nvswitch")
        // Its sound, its USB port, somebody else's display.
        try driver.plug("0000:3b:00.1", kind: "0x040300")
        try driver.plug("0000:3b:00.2", kind: "0x0c0330")
        try driver.plug("0000:00:02.0", vendor: "0x8086", kind: "0x030000")
        var bus = PCIBus(sys: driver.sys)
        #expect(
            bus.scan() == [
                .init(kind: .gpu, bus: PCIAddress(bus: 0x01), driver: nil),
                .init(kind: .gpu, bus: PCIAddress(bus: 0x3b), driver: "nvidia"),
                .init(kind: .nvSwitch, bus: PCIAddress(bus: 0xc4), driver: "nvidia-nvswitch"),
            ])
        try driver.unplug("0000:3b:00.0")
        #expect(bus.scan()?.map(\.bus.bus) == [0x01, 0xc4])
    }

    @Test func aMachineWithoutPCIIsToldApartFromOneWithoutGPUs() throws {
        var none = PCIBus(sys: "/nowhere")
        #expect(none.scan() == nil)
        let driver = try FakeDriver()
        var empty = PCIBus(sys: driver.sys)
        #expect(empty.scan() == [])
    }

    @Test(
        arguments: [
            (
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: "
                    + " gcc version 12.2.0\n", "535.104.05"
            ),
            (
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder@U16)",
                "550.54.15"
            ),
        ])
    func readsTheModulesVersion(_ text: String, _ version: String) {
        #expect(DriverModule.version(in: text) == version)
    }

    @Test func findsTheFabricManagerAmongTheProcesses() throws {
        let driver = try FakeDriver()
        let module = DriverModule(proc: driver.proc)
        try driver.put("systemd\n", "proc/1/comm")
        #expect(!module.fabricManagerRuns)
        try driver.put("nv-fabricmanage\n", "proc/812/comm")
        #expect(module.fabricManagerRuns)
    }
}
