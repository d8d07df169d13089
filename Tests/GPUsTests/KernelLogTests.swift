import SystemPackage
import Testing

@testable import GPUs

@Suite struct KernelLogTests {
    private let now = Moment(time: 1_700_000_000, uptime: 10_000)

    @Test func aRecordHasNumberTimeAndText() throws {
        let line = try #require(KernelLogLine("4,1337,171167620236,-;NVRM: Xid (PCI:0000:3b:00): 79, GPU is gone; now"))
        #expect(line.sequence == 1337)
        #expect(line.uptime == 171167.620236)
        #expect(line.text == "NVRM: Xid (PCI:0000:3b:00): 79, GPU is gone; now")
    }

    @Test(arguments: ["", " SUBSYSTEM=pci", "no record", "6,1,2;too few fields", "6,one,2,-;text", "x,1,2,-;text"])
    func whatIsNoRecordIsNone(_ text: String) {
        #expect(KernelLogLine(text) == nil)
    }

    @Test func eachLineIsReadOnce() throws {
        let driver = try FakeDriver()
        try driver.log("6,1,1000000,-;one\n SUBSYSTEM=pci\n6,2,2000000,c;two\n")
        let log = try KernelLog(at: driver.kernelLog)
        #expect(try log.next().map(\.text) == ["one", "two"])
        #expect(try log.next().isEmpty)
        try driver.append("6,3,3000000,-;thr")
        #expect(try log.next().isEmpty)
        try driver.append("ee\n")
        #expect(try log.next().map(\.sequence) == [3])
    }

    @Test func aLogThatIsNotThereIsAnError() {
        #expect(throws: Errno.noSuchFileOrDirectory) { try KernelLog(at: "/nowhere/kmsg") }
    }

    /// Lines of real machines, as people published them in reports of faults.
    @Test(
        arguments: [
            (
                "NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
                Expected("0000:3b:00.0", 79, text: "GPU has fallen off the bus.")
            ),
            (
                "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.",
                Expected("0000:01:00.0", 79, text: "GPU has fallen off the bus.")
            ),
            ("NVRM: Xid (0000:03:00): 14, Channel 00000001", Expected("0000:03:00.0", 14, text: "Channel 00000001")),
            (
                "NVRM: Xid (PCI:0000:00:05): 43, pid=1045242, name=pt_main_thread, Ch 00000008",
                Expected("0000:00:05.0", 43, 1_045_242, "pt_main_thread", "Ch 00000008")
            ),
            (
                "NVRM: Xid (PCI:0000:00:07): 31, pid=2512125, name=python3.10, Ch 00000008, intr 00000000. MMU Fault",
                Expected("0000:00:07.0", 31, 2_512_125, "python3.10", "Ch 00000008, intr 00000000. MMU Fault")
            ),
            (
                "NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for remapping, reset gpu to"
                    + " activate.",
                Expected(
                    "0000:10:1c.0", 63, 1896,
                    text: "Row Remapper: New row marked for remapping, reset gpu to activate.")
            ),
            (
                "NVRM: Xid (PCI:0000:00:08): 94, pid='<unknown>', name=<unknown>, Contained: SM (0x1). RST: No",
                Expected("0000:00:08.0", 94, text: "Contained: SM (0x1). RST: No")
            ),
            (
                "NVRM: Xid (PCI:0000:3b:00 GPU-I:05 GPU-CI:00): 31, pid=7, name=python, Ch 1",
                Expected("0000:3b:00.0", 31, 7, "python", "Ch 1")
            ),
            ("NVRM: Xid (PCI:0000:01:00): 31, pid=1 CE0", Expected("0000:01:00.0", 31, 1, text: "")),
            (
                "NVRM: Xid (PCI:0009:01:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 (0x021425c6 0x00000000)",
                Expected("0009:01:00.0", 149, text: "NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 (0x021425c6 0x00000000)")
            ),
        ])
    func readsTheDriversLines(_ text: String, _ expected: Expected) throws {
        let event = try #require(XIDEvent(text, at: now))
        #expect(
            Expected("\(event.bus, default: "-")", event.code, event.pid, event.processName, event.text ?? "")
                == expected)
        #expect(event.source == .kernelLog)
    }

    @Test(
        arguments: [
            "", "NVRM: GPU at PCI:0000:00:05: GPU-efbdfde9-5798-a6e7-4c46-12518fa15375",
            "NVRM: Xid error: xyz, invalid data", "NVRM: Xid (invalid): 79, no bus", "NVRM: Xid (PCI:0000:05:00): ",
            "NVRM: Xid (PCI:0000:05:00", "NVRM: Xid (PCI:0000:05:00): abc, GPU", "usb 1-1: NVRM: Xid (0000:03:00): 14,",
        ])
    func otherLinesAreNoXID(_ text: String) {
        #expect(XIDEvent(text, at: now) == nil)
    }

    /// Likewise, of machines with NVSwitches.
    @Test(
        arguments: [
            (
                "nvidia-nvswitch0: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 63 LTSSM Fault Up",
                Switch("0000:05:00.0", 20034, isFatal: true, "Link 63 LTSSM Fault Up")
            ),
            (
                "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46 MC TS crumbstore MCTO (First)",
                Switch("0000:c1:00.0", 28006, isFatal: false, "Link 46 MC TS crumbstore MCTO (First)")
            ),
            (
                "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)",
                Switch("0000:05:00.0", 12028, isFatal: false, "Link 32 egress non-posted PRIV error (First)")
            ),
        ])
    func readsTheSwitchesLines(_ text: String, _ expected: Switch) throws {
        let fault = try #require(SwitchFault(text, at: now))
        #expect(Switch("\(fault.bus)", fault.code, isFatal: fault.isFatal, fault.text) == expected)
        #expect((fault.count, fault.moment) == (1, now))
    }

    @Test(
        arguments: [
            // They say more of the fault before them.
            "nvidia-nvswitch2: SXid (PCI:0000:07:00.0): 20034, Severity 1 Engine instance 60 Sub-engine instance 00",
            "nvidia-nvswitch0: SXid (PCI:0000:05:00.0): 20034, Data {0x10000000, 0x10000000, 0x00000000, 0x10000000}",
            "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): garbled, Fatal, Link 1", "nvidia-nvswitch3: SXid (PCI:",
            "nvidia-nvswitch0: using MSI", "NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.",
        ])
    func otherLinesAreNoSwitchFault(_ text: String) {
        #expect(SwitchFault(text, at: now) == nil)
    }

    @Test func aLinesMomentIsReckonedFromTheTimeSinceBoot() throws {
        let line = try #require(KernelLogLine("4,9,9990500000,-;NVRM: Xid (PCI:0000:3b:00): 13, x"))
        guard case .xid(let event) = DriverLine(line, now: now) else { throw Missing() }
        #expect(event.moment == Moment(time: 1_699_999_990.5, uptime: 9990.5))
        #expect(event.sequence == 9)
        let text = "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024"
        let loading = try #require(KernelLogLine("5,10,9991000000,-;\(text)"))
        #expect(DriverLine(loading, now: now) == .loaded(Moment(time: 1_699_999_991, uptime: 9991)))
    }

    struct Expected: Hashable, Sendable {
        var bus: String
        var code: Int
        var pid: Int32?
        var name: String?
        var text: String

        init(_ bus: String, _ code: Int, _ pid: Int32? = nil, _ name: String? = nil, _ text: String) {
            (self.bus, self.code, self.pid, self.name, self.text) = (bus, code, pid, name, text)
        }

        init(_ bus: String, _ code: Int, _ pid: Int32? = nil, text: String) { self.init(bus, code, pid, nil, text) }
    }

    struct Switch: Hashable, Sendable {
        var bus: String
        var code: Int
        var isFatal: Bool
        var text: String

        init(_ bus: String, _ code: Int, isFatal: Bool, _ text: String) {
            (self.bus, self.code, self.isFatal, self.text) = (bus, code, isFatal, text)
        }
    }

    struct Missing: Error {}
}
