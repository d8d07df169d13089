import Synchronization
import SystemPackage
import Testing

@testable import GPUs

/// What the kernel shows and tells, beside what the fake driver says.
@Suite(.timeLimit(.minutes(1))) struct KernelSideTests {
    @Test func aGPUThatOnlyPCIShowsIsLost() async throws {
        let driver = try FakeDriver("gpus 1")
        try driver.plug("0000:10:00.0")
        try driver.plug("0000:5e:00.0")
        let watch = driver.watch()
        let lost = try #require(await watch.looked().gpus.last)
        #expect((lost.gpu.bus, lost.gpu.uuid, lost.sample) == (PCIAddress(bus: 0x5e), nil, nil))
        #expect(lost.verdict.findings.map(\.evidence) == ["PCI shows it (driver nvidia), NVML does not"])
        // Given to a virtual machine, it is none of ours.
        try driver.unplug("0000:5e:00.0")
        try driver.plug("0000:5e:00.0", driver: "vfio-pci")
        #expect(await watch.looked().gpus.map(\.gpu.index) == [0])
    }

    @Test func nvmlIsOpenedAnewForAGPUThatItDoesNotShow() async throws {
        let driver = try FakeDriver("gpus 1")
        try driver.plug("0000:10:00.0")
        let watch = driver.watch(renewal: .zero)
        for _ in 0..<3 { await watch.look() }
        #expect(watch.snapshot().driver.openings == 1)
        try driver.plug("0000:11:00.0")
        for _ in 0..<3 { await watch.look() }
        #expect(watch.snapshot().driver.openings > 2)
        try driver.write("gpus 2")
        #expect(await watch.looked().node.state == .healthy)
    }

    @Test func aLibraryThatWasExchangedOnDiskIsNoticed() async throws {
        let driver = try FakeDriver("gpus 1\ndriver 550.54.15")
        try driver.link("libnvidia-ml.so.550.54.15")
        let watch = driver.watch()
        let before = await watch.looked()
        #expect((before.driver.installed, before.node.state) == ("550.54.15", .healthy))
        try driver.link("libnvidia-ml.so.550.90.07")
        let after = await watch.looked()
        #expect(after.driver.installed == "550.90.07")
        #expect((after.node.state, after.node.action) == (.degraded, .reboot))
        #expect(after.gpus.map(\.verdict.state) == [.healthy])
    }

    @Test func aGPUThatIsPulledOutIsRemembered() async throws {
        let driver = try FakeDriver("gpus 2")
        try driver.plug("0000:10:00.0")
        try driver.plug("0000:11:00.0")
        let watch = driver.watch()
        #expect(await watch.looked().node.state == .healthy)
        try driver.unplug("0000:11:00.0")
        try driver.write("gpus 1")
        let gone = try #require(await watch.looked().gpus.last)
        #expect(gone.gpu.model == "NVIDIA H100 80GB HBM3")
        #expect(gone.verdict.findings.map(\.evidence) == ["neither PCI nor NVML shows it now"])
    }

    @Test func theKernelsLogTellsWhatWasBefore() async throws {
        let driver = try FakeDriver("gpus 2")
        try driver.log(
            """
            4,1,1000000,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
            4,2,2000000,-;NVRM: Xid (PCI:0000:10:00): 31, pid=7, name=python3, Ch 00000008, MMU Fault
            4,3,3000000,-;NVRM: Xid (PCI:0000:11:00): 119, pid=8, name=python3, Timeout after 6s of waiting for RPC

            """)
        let watch = driver.watch()
        try driver.write("gpus 2\ngpu * recovery -")
        let snapshot = await watch.looked()
        #expect(snapshot.xids.map(\.code) == [31, 119])
        #expect(snapshot.xids.map(\.sequence) == [2, 3])
        // A program's own fault is told, and blames nobody.
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unhealthy])
        #expect(snapshot.gpus[1].verdict.action == .resetGPU)
        #expect(snapshot.gpus[1].verdict.findings.map(\.evidence) == ["XID 119: Timeout after 6s of waiting for RPC"])
        #expect(snapshot.gpus[1].verdict.since.uptime == 3)
        // Looked at again, none is new.
        #expect(await watch.looked().xidCounts.map(\.count) == [1, 1])
    }

    @Test func theKernelsLogTellsOfSwitches() async throws {
        let driver = try FakeDriver("gpus 1")
        let text = "nvidia-nvswitch0: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 63 LTSSM Fault Up"
        try driver.log("3,7,5000000,-;\(text)\n")
        let snapshot = await driver.watch().looked()
        #expect(snapshot.switchFaults.map(\.code) == [20034])
        #expect(snapshot.node.findings.map(\.rule) == [.sxid])
        #expect(snapshot.node.since.uptime == 5)
    }

    @Test func withoutAKernelsLogNVMLTellsOfXIDs() async throws {
        let driver = try FakeDriver("gpus 2\nxid 1 4 0 79\ngpu * recovery -")
        var settings = GPUWatch.Settings()
        (settings.library, settings.sys, settings.kernelLog) = (driver.library, driver.sys, "/nowhere/kmsg")
        settings.period = .milliseconds(1)
        let watch = GPUWatch(settings)
        let running = Task { await watch.run() }
        defer { running.cancel() }
        try await until { watch.snapshot().driver.rounds >= 100 }
        #expect(watch.snapshot().kernelLogFault?.contains("/nowhere/kmsg") == true)
        // A storm; the events before NVML was opened are past.
        try driver.write("gpus 2\nxid 1 4 0 79\nxid 5 504 1 13\nxid 505 505 1 64\ngpu * recovery -")
        try await until { watch.snapshot().xidCounts.count == 2 }
        let snapshot = watch.snapshot()
        #expect(snapshot.xidCounts.map(\.count) == [500, 1])
        #expect(snapshot.xidCounts.map(\.code) == [13, 64])
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unhealthy])
        #expect(snapshot.gpus[1].verdict.action == .resetGPU)
    }

    @Test func whatIsLateIsTakenAllTheSameAndAStormHasAnEnd() async throws {
        let fake = try FakeDriver("gpus 1")
        let codes = Mutex<[Int]>([])
        let driver = Driver([fake.library], watch: CallWatch(), retry: 0, redescribe: 0) { news in
            if case .xid(let event) = news { codes.withLock { $0.append(event.code) } }
        }
        await driver.round()
        try fake.write("gpus 1\nxid 1 2 0 13\nxid 3 3 0 79")
        await driver.listen(until: .now.advanced(by: -1))
        #expect(codes.withLock { $0 } == [13, 13, 79])
        try fake.write("gpus 1\nxid 1 1000000 0 13")
        await driver.listen(until: .now.advanced(by: 3600))
        #expect(codes.withLock { $0.count } == 3 + 1024)
    }
}
