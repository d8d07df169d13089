import Synchronization
import SystemPackage
import Testing

@testable import GPUs

/// The whole of it, on the fake driver.
@Suite(.timeLimit(.minutes(1))) struct WatchTests {
    private func watch(
        _ driver: FakeDriver, limit: Duration = .seconds(5), renewal: Duration = .seconds(60), life: Duration = .zero
    ) -> GPUWatch {
        var settings = GPUWatch.Settings()
        (settings.renewal, settings.descriptionLife) = (renewal, life)
        (settings.library, settings.callLimit, settings.retry) = (driver.library, limit, .zero)
        (settings.sys, settings.proc, settings.kernelLog) = (driver.sys, driver.proc, driver.kernelLog)
        return GPUWatch(settings)
    }

    /// Looks once, and tells what is known then.
    private func look(_ watch: GPUWatch) async -> Snapshot {
        await watch.look()
        return watch.snapshot()
    }

    private func rules(_ report: GPUReport) -> [Rule] { report.verdict.findings.map(\.rule) }

    @Test func describesAGPU() async throws {
        let driver = try FakeDriver(
            """
            gpus 1
            gpu 0 bus 0000:3b:00
            gpu 0 nvlinks 2
            gpu 0 mig-next 1
            """)
        let snapshot = await look(watch(driver))
        let gpu = try #require(snapshot.gpus.first?.gpu)
        #expect(snapshot.gpus.count == 1)
        #expect(gpu.bus == PCIAddress(bus: 0x3b))
        #expect((gpu.index, gpu.minor) == (0, 0))
        #expect(gpu.uuid == "GPU-00000000-0000-4000-8000-000000000000")
        #expect(gpu.model == "NVIDIA H100 80GB HBM3")
        #expect((gpu.serial, gpu.firmware) == ("1650000000000", "96.00.74.00.01"))
        #expect(gpu.memory == 81559 << 20)
        #expect(gpu.power == .init(limit: 700_000, standard: 700_000, least: 200_000, most: 700_000))
        #expect(gpu.isPersistent == true)
        #expect(gpu.ecc == .init(isOn: true, willBeOn: true))
        #expect(gpu.mig == .init(isOn: false, willBeOn: true))
        #expect(gpu.pcieLimit == .init(generation: 5, width: 16))
        #expect(gpu.nvlinks.map(\.remote) == [PCIAddress(bus: 0xc0), PCIAddress(bus: 0xc1)])
        #expect(snapshot.driver.state == .ready)
        #expect((snapshot.driver.version, snapshot.driver.cuda) == ("550.54.15", "12.4"))
        #expect(snapshot.node.state == .healthy)
    }

    @Test func measuresAGPU() async throws {
        let driver = try FakeDriver(
            """
            gpus 1
            gpu 0 utilization 37
            gpu 0 used 1073741824
            gpu 0 reasons 0x84
            gpu 0 corrected 7
            gpu 0 nvlink-replay 3
            gpu 0 energy 123456789
            process 0 4711 1073741824
            process 0 4712 - graphics
            process 0 4711 1073741824 graphics
            """)
        let sample = try #require(await look(watch(driver)).gpus.first?.sample)
        #expect(sample.utilization == 37)
        #expect(sample.memory?.used == 1 << 30)
        #expect(sample.memory?.reserved == 551 << 20)
        #expect((sample.smClock, sample.memoryClock) == (1980, 2619))
        #expect((sample.temperature, sample.memoryTemperature) == (35, 45))
        #expect((sample.power, sample.enforcedPowerLimit, sample.energy) == (70_000, 700_000, 123_456_789))
        #expect(sample.clockReasons == [.powerCap, .powerBrake])
        #expect(sample.ecc == .init(corrected: 7, uncorrected: 0, correctedEver: 0, uncorrectedEver: 0))
        #expect(sample.nvlinkErrors == .init(replay: 3))
        #expect(sample.retiredPages == nil)
        #expect(sample.recovery == Sample.RecoveryAction.none)
        #expect(
            sample.processes == [
                GPUProcess(pid: 4711, kind: .compute, memory: 1 << 30), GPUProcess(pid: 4712, kind: .graphics),
            ])
        #expect(sample.failures.isEmpty)
    }

    @Test func errorsThatEachLinkCountsAreSummedUp() async throws {
        let driver = try FakeDriver(
            "gpus 1\ngpu 0 nvlinks 4\ngpu 0 nvlinks-down 1\ngpu 0 link-replay 5\ngpu 0 link-crc 2")
        let sample = try #require(await look(watch(driver)).gpus.first?.sample)
        #expect(sample.nvlinkErrors == .init(crc: 6, replay: 15))
    }

    @Test func whatWasNotMeasuredIsAbsent() async throws {
        let unable = [
            "utilization", "encoder", "temperature", "power", "energy", "reasons", "replays", "rows-corrected",
        ]
        let driver = try FakeDriver("gpus 1\n" + unable.map { "gpu 0 \($0) -\n" }.joined())
        let report = try #require(await look(watch(driver)).gpus.first)
        let sample = try #require(report.sample)
        #expect((sample.utilization, sample.memoryUtilization, sample.encoder) == (nil, nil, nil))
        #expect((sample.temperature, sample.power, sample.energy) == (nil, nil, nil))
        #expect((sample.clockReasons, sample.pcieReplays, sample.remappedRows) == (nil, nil, nil))
        #expect(sample.memory != nil)
        #expect(sample.failures.isEmpty)
        #expect(report.verdict.state == .healthy)
    }

    @Test(arguments: [0, 1, 16])
    func countsWhatIsThere(_ count: Int) async throws {
        let driver = try FakeDriver("gpus \(count)\nprocesses * 100")
        let snapshot = await look(watch(driver))
        #expect(snapshot.gpus.map(\.gpu.index) == Array(0..<count))
        // More than the room that is given at first.
        #expect(snapshot.gpus.allSatisfy { $0.sample?.processes?.count == 100 })
        #expect(snapshot.node.state == .healthy)
    }

    @Test func partsOfAGPUAreTold() async throws {
        let driver = try FakeDriver("gpus 2\ngpu 1 mig 3\nprocess 1 99 5000 compute 7 0")
        let watch = watch(driver, life: .seconds(3600))
        let report = try #require(await look(watch).gpus.last)
        #expect(report.gpu.mig?.isOn == true)
        #expect(report.gpu.migDevices.map(\.uuid) == report.sample?.mig?.map(\.uuid))
        #expect(report.gpu.migDevices.map(\.profile) == ["1g.10gb", "1g.10gb", "1g.10gb"])
        #expect(report.gpu.migDevices.map(\.gpuInstance) == [7, 8, 9])
        #expect(report.sample?.utilization == nil)
        #expect(
            report.sample?.processes == [
                GPUProcess(pid: 99, kind: .compute, memory: 5000, gpuInstance: 7, computeInstance: 0)
            ])
        #expect(report.idle == nil)
        // Another layout is seen at once, however long a description holds.
        try driver.write("gpus 2\ngpu 1 mig 1")
        await watch.look()
        #expect(await look(watch).gpus.last?.gpu.migDevices.count == 1)
    }

    @Test func aSettingThatIsChangedIsSeen() async throws {
        let driver = try FakeDriver("gpus 1")
        let watch = watch(driver)
        #expect(await look(watch).gpus.first?.gpu.power?.limit == 700_000)
        try driver.write("gpus 1\ngpu 0 power-limit 350000")
        #expect(await look(watch).gpus.first?.gpu.power?.limit == 350_000)
    }

    @Test func aNodeWithoutDriverAndGPUsIsWell() async throws {
        let driver = try FakeDriver()
        var settings = GPUWatch.Settings()
        (settings.library, settings.sys) = ("/nowhere/libnvidia-ml.so.1", driver.sys)
        let watch = GPUWatch(settings)
        let snapshot = await look(watch)
        #expect(snapshot.driver.state == .noLibrary)
        #expect(snapshot.driver.reason?.contains("/nowhere/libnvidia-ml.so.1") == true)
        #expect(snapshot.gpus.isEmpty)
        #expect(snapshot.node.state == .healthy)
        // Not so with a GPU in it.
        try driver.plug("0000:3b:00.0", driver: nil)
        let other = await look(watch)
        #expect(other.gpus.map { rules($0) } == [[.driver]])
        #expect((other.node.state, other.node.action) == (.unhealthy, .installDriver))
    }

    @Test(
        arguments: [
            (9, DriverStatus.State.notLoaded, Verdict.State.unhealthy, Action.loadDriver),
            (18, .mismatch, .unhealthy, .reboot), (999, .failed, .unknown, .contactSupport),
        ])
    func aDriverThatRefusesHasAName(
        _ code: Int, _ state: DriverStatus.State, _ verdict: Verdict.State, _ action: Action
    ) async throws {
        let driver = try FakeDriver("gpus 1\ninit \(code)")
        try driver.plug("0000:10:00.0")
        try driver.put("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat", "proc/driver/nvidia/version")
        let watch = watch(driver)
        let snapshot = await look(watch)
        #expect(snapshot.driver.state == state)
        #expect(snapshot.driver.moduleVersion == "535.104.05")
        #expect(snapshot.gpus.map(\.verdict.state) == [verdict])
        #expect(snapshot.node.action == action)
        // And back, once it is in order.
        try driver.write("gpus 1")
        let later = await look(watch)
        #expect(later.driver.state == .ready)
        #expect(later.node.state == .healthy)
    }

    @Test func aDriverThatIsExchangedIsOpenedAgain() async throws {
        let driver = try FakeDriver("gpus 1\ndriver 550.54.15")
        let watch = watch(driver)
        #expect(await look(watch).driver.openings == 1)
        try driver.write("gpus 1\ndriver 570.10.01\nepoch 2")
        let between = await look(watch)
        #expect(between.driver.state == .notLoaded)
        #expect(between.gpus.map { rules($0) } == [[.driver]])
        let after = await look(watch)
        #expect((after.driver.state, after.driver.openings) == (.ready, 2))
        #expect(after.driver.version == "570.10.01")
        #expect(after.node.state == .healthy)
    }

    @Test func anOldLibraryGivesLess() async throws {
        let missing = [
            "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetFieldValues",
            "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetGpuFabricInfoV", "nvmlDeviceGetRemappedRows",
            "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetMigMode", "nvmlInit_v2",
        ]
        let driver = try FakeDriver("gpus 1\ngpu 0 used 4096\nprocess 0 4711 4096\ngpu 0 reasons 0x8", without: missing)
        let snapshot = await look(watch(driver))
        let sample = try #require(snapshot.gpus.first?.sample)
        // What an older form gives.
        #expect(sample.memory?.reserved == nil)
        #expect(sample.memory?.used == 4096 + 551 << 20)
        #expect(sample.processes == [GPUProcess(pid: 4711, kind: .compute, memory: 4096)])
        #expect(sample.clockReasons == .hardwareSlowdown)
        // What none gives.
        #expect((sample.energy, sample.memoryTemperature, sample.remappedRows) == (nil, nil, nil))
        #expect(
            snapshot.driver.missing == [
                "nvmlDeviceGetFieldValues", "nvmlDeviceGetGpuFabricInfo", "nvmlDeviceGetMigMode",
                "nvmlDeviceGetRemappedRows", "nvmlDeviceGetTotalEnergyConsumption",
            ])
        #expect(snapshot.node.state == .healthy)
    }

    @Test func aLostGPUIsTheOnlyOneThatSuffers() async throws {
        let driver = try FakeDriver("gpus 3")
        for bus in ["10", "11", "12"] { try driver.plug("0000:\(bus):00.0") }
        let watch = watch(driver)
        #expect(await look(watch).node.state == .healthy)
        try driver.write("gpus 3\ngpu 1 lost 1")
        let snapshot = await look(watch)
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unhealthy, .healthy])
        #expect(rules(snapshot.gpus[1]) == [.lost])
        #expect((snapshot.gpus[1].isVisible, snapshot.gpus[1].gpu.index) == (false, 1))
        #expect(snapshot.node.action == .reboot)
        #expect(snapshot.node.findings.map(\.evidence) == ["1 of 3 GPUs: 0000:11:00.0"])
        try driver.write("gpus 3")
        #expect(await look(watch).node.state == .healthy)
    }

    @Test func numbersOutOfAllReasonDoNoHarm() async throws {
        let most = UInt64.max
        let keys = ["nvlink-crc", "nvlink-replay", "link-crc", "energy", "replays", "used", "recovery", "fabric-state"]
        var script = "gpus 1\ngpu 0 nvlinks 2\nprocess 0 4294967295 \(most - 1)\nprocess 0 2 \(most - 1)\n"
        for key in keys { script += "gpu 0 \(key) \(most)\n" }
        let driver = try FakeDriver(script)
        let watch = watch(driver)
        for _ in 0..<2 { await watch.look() }
        let sample = try #require(watch.snapshot().gpus.first?.sample)
        #expect(sample.nvlinkErrors == .init(crcFlit: most, crc: most - 1, replay: most))
        #expect((sample.energy, sample.pcieReplays) == (most, UInt64(UInt32.max)))
        #expect((sample.recovery, sample.fabric) == (nil, nil))
        #expect(sample.processes?.map(\.pid) == [-1, 2])
    }

    @Test func aGPUThatHasToBeResetSaysSo() async throws {
        let driver = try FakeDriver("gpus 1\nfail nvmlDeviceGetUtilizationRates 0 16")
        let report = try #require(await look(watch(driver)).gpus.first)
        #expect(rules(report) == [.resetRequired])
        #expect(report.verdict.action == .resetGPU)
    }

    @Test func aCallThatFailsIsKeptAsSuch() async throws {
        let driver = try FakeDriver("gpus 1\nfail nvmlDeviceGetPowerUsage 0 999\nfail nvmlDeviceGetSerial 0 3")
        let report = try #require(await look(watch(driver)).gpus.first)
        #expect(report.sample?.failures == [NVMLError("nvmlDeviceGetPowerUsage", .init(rawValue: 999))])
        #expect((report.sample?.power, report.gpu.serial) == (nil, nil))
        #expect(report.verdict.state == .healthy)
    }

    @Test func aGPUThatOnlyPCIShowsIsLost() async throws {
        let driver = try FakeDriver("gpus 1")
        try driver.plug("0000:10:00.0")
        try driver.plug("0000:5e:00.0")
        let watch = watch(driver)
        let lost = try #require(await look(watch).gpus.last)
        #expect((lost.gpu.bus, lost.gpu.uuid, lost.sample) == (PCIAddress(bus: 0x5e), nil, nil))
        #expect(lost.verdict.findings.map(\.evidence) == ["PCI shows it (driver nvidia), NVML does not"])
        // Given to a virtual machine, it is none of ours.
        try driver.unplug("0000:5e:00.0")
        try driver.plug("0000:5e:00.0", driver: "vfio-pci")
        #expect(await look(watch).gpus.map(\.gpu.index) == [0])
    }

    @Test func nvmlIsOpenedAnewForAGPUThatItDoesNotShow() async throws {
        let driver = try FakeDriver("gpus 1")
        try driver.plug("0000:10:00.0")
        let watch = watch(driver, renewal: .zero)
        for _ in 0..<3 { await watch.look() }
        #expect(watch.snapshot().driver.openings == 1)
        try driver.plug("0000:11:00.0")
        for _ in 0..<3 { await watch.look() }
        #expect(watch.snapshot().driver.openings > 2)
        try driver.write("gpus 2")
        #expect(await look(watch).node.state == .healthy)
    }

    @Test func aLibraryThatWasExchangedOnDiskIsNoticed() async throws {
        let driver = try FakeDriver("gpus 1\ndriver 550.54.15")
        try driver.link("libnvidia-ml.so.550.54.15")
        let watch = watch(driver)
        let before = await look(watch)
        #expect((before.driver.installed, before.node.state) == ("550.54.15", .healthy))
        try driver.link("libnvidia-ml.so.550.90.07")
        let after = await look(watch)
        #expect(after.driver.installed == "550.90.07")
        #expect((after.node.state, after.node.action) == (.degraded, .reboot))
        #expect(after.gpus.map(\.verdict.state) == [.healthy])
    }

    @Test func aGPUThatIsPulledOutIsRemembered() async throws {
        let driver = try FakeDriver("gpus 2")
        try driver.plug("0000:10:00.0")
        try driver.plug("0000:11:00.0")
        let watch = watch(driver)
        #expect(await look(watch).node.state == .healthy)
        try driver.unplug("0000:11:00.0")
        try driver.write("gpus 1")
        let gone = try #require(await look(watch).gpus.last)
        #expect(gone.gpu.model == "NVIDIA H100 80GB HBM3")
        #expect(gone.verdict.findings.map(\.evidence) == ["neither PCI nor NVML shows it now"])
    }

    @Test func aCallThatHangsHoldsNobodyBack() async throws {
        let driver = try FakeDriver("gpus 3")
        let watch = watch(driver, limit: .milliseconds(100))
        #expect(await look(watch).node.state == .healthy)
        try driver.write("gpus 3\nhang nvmlDeviceGetPowerUsage 1\ngpu 0 temperature 50")
        let snapshot = await look(watch)
        #expect(snapshot.driver.hung?.call == "nvmlDeviceGetPowerUsage")
        #expect(snapshot.driver.hung?.bus == PCIAddress(bus: 0x11))
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unknown, .healthy])
        #expect(rules(snapshot.gpus[1]) == [.hungCall])
        // What was asked before it is new; the sample of the one that hangs is its last.
        #expect(snapshot.gpus[0].sample?.temperature == 50)
        #expect(snapshot.gpus[1].sample?.power == 70_000)
        // In time, nothing is known of any.
        let later = watch.snapshot(at: .now.advanced(by: 60))
        #expect(later.gpus.map { rules($0) } == [[.noSample], [.hungCall], [.noSample]])
        // It comes back.
        try driver.write("gpus 3")
        try await until { await look(watch).driver.hung == nil }
        #expect(await look(watch).node.state == .healthy)
    }

    @Test func aDriverThatHangsWhenOpenedIsUnknown() async throws {
        let driver = try FakeDriver("gpus 1\nhang nvmlDeviceGetCount_v2 *")
        try driver.plug("0000:10:00.0")
        let watch = watch(driver, limit: .milliseconds(50))
        let snapshot = await look(watch)
        #expect(snapshot.driver.hung?.bus == nil)
        #expect(snapshot.gpus.map { rules($0) } == [[.hungCall]])
        try driver.write("gpus 1")
        try await until { await look(watch).node.state == .healthy }
    }

    @Test func theKernelsLogTellsWhatWasBefore() async throws {
        let driver = try FakeDriver("gpus 2")
        try driver.log(
            """
            4,1,1000000,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
            4,2,2000000,-;NVRM: Xid (PCI:0000:10:00): 31, pid=7, name=python3, Ch 00000008, MMU Fault
            4,3,3000000,-;NVRM: Xid (PCI:0000:11:00): 119, pid=8, name=python3, Timeout after 6s of waiting for RPC

            """)
        let watch = watch(driver)
        try driver.write("gpus 2\ngpu * recovery -")
        let snapshot = await look(watch)
        #expect(snapshot.xids.map(\.code) == [31, 119])
        #expect(snapshot.xids.map(\.sequence) == [2, 3])
        // A program's own fault is told, and blames nobody.
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unhealthy])
        #expect(snapshot.gpus[1].verdict.action == .resetGPU)
        #expect(snapshot.gpus[1].verdict.findings.map(\.evidence) == ["XID 119: Timeout after 6s of waiting for RPC"])
        #expect(snapshot.gpus[1].verdict.since.uptime == 3)
        // Looked at again, none is new.
        #expect(await look(watch).xidCounts.map(\.count) == [1, 1])
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

    /// Comes back when it is so; the test's time limit is the end of all waiting.
    private func until(_ condition: () async -> Bool) async throws {
        while await !condition() { try await Task.sleep(for: .milliseconds(5)) }
    }
}
