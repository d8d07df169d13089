import Testing

@testable import GPUs

/// The whole of it, on the fake driver.
@Suite(.timeLimit(.minutes(1))) struct WatchTests {
    @Test func describesAGPU() async throws {
        let driver = try FakeDriver(
            """
            gpus 1
            gpu 0 bus 0000:3b:00
            gpu 0 nvlinks 2
            gpu 0 mig-next 1
            """)
        let snapshot = await driver.watch().looked()
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
        let sample = try #require(await driver.watch().looked().gpus.first?.sample)
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

    @Test func measuresWhatMemoryLinksAndFabricHaveSuffered() async throws {
        let driver = try FakeDriver(
            """
            gpus 1
            gpu 0 memory-utilization 21
            gpu 0 encoder 3
            gpu 0 decoder 4
            gpu 0 pcie-generation 1
            gpu 0 pcie-width 8
            gpu 0 replays 9
            gpu 0 uncorrected-ever 2
            gpu 0 rows-corrected 5
            gpu 0 rows-uncorrected 6
            gpu 0 rows-pending 1
            gpu 0 pages-sbe 7
            gpu 0 pages-dbe 8
            gpu 0 pages-pending 0
            gpu 0 power-violation 1000
            gpu 0 heat-violation 2000
            gpu 0 fabric-state 3
            gpu 0 fabric-health 170
            """)
        let sample = try #require(await driver.watch().looked().gpus.first?.sample)
        #expect((sample.memoryUtilization, sample.encoder, sample.decoder) == (21, 3, 4))
        #expect(sample.pcie == .init(generation: 1, width: 8))
        #expect(sample.pcieReplays == 9)
        #expect(sample.ecc?.uncorrectedEver == 2)
        #expect(sample.remappedRows == .init(corrected: 5, uncorrected: 6, isPending: true, hasFailed: false))
        #expect(sample.retiredPages == .init(singleBit: 7, doubleBit: 8, isPending: false))
        #expect((sample.powerViolation, sample.thermalViolation) == (1000, 2000))
        #expect(sample.fabric == .init(state: .completed, status: 0, health: 170))
    }

    @Test func errorsThatEachLinkCountsAreSummedUp() async throws {
        let driver = try FakeDriver(
            "gpus 1\ngpu 0 nvlinks 4\ngpu 0 nvlinks-down 1\ngpu 0 link-replay 5\ngpu 0 link-crc 2")
        let sample = try #require(await driver.watch().looked().gpus.first?.sample)
        #expect(sample.nvlinkErrors == .init(crc: 6, replay: 15))
    }

    @Test func whatWasNotMeasuredIsAbsent() async throws {
        let unable = [
            "utilization", "encoder", "temperature", "power", "energy", "reasons", "replays", "rows-corrected",
        ]
        let driver = try FakeDriver("gpus 1\n" + unable.map { "gpu 0 \($0) -\n" }.joined())
        let report = try #require(await driver.watch().looked().gpus.first)
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
        let snapshot = await driver.watch().looked()
        #expect(snapshot.gpus.map(\.gpu.index) == Array(0..<count))
        // More than the room that is given at first.
        #expect(snapshot.gpus.allSatisfy { $0.sample?.processes?.count == 100 })
        #expect(snapshot.node.state == .healthy)
    }

    @Test func partsOfAGPUAreTold() async throws {
        let driver = try FakeDriver("gpus 2\ngpu 1 mig 3\nprocess 1 99 5000 compute 7 0")
        let watch = driver.watch(life: .seconds(3600))
        let report = try #require(await watch.looked().gpus.last)
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
        #expect(await watch.looked().gpus.last?.gpu.migDevices.count == 1)
    }

    @Test func aSettingThatIsChangedIsSeen() async throws {
        let driver = try FakeDriver("gpus 1")
        let watch = driver.watch()
        #expect(await watch.looked().gpus.first?.gpu.power?.limit == 700_000)
        try driver.write("gpus 1\ngpu 0 power-limit 350000")
        #expect(await watch.looked().gpus.first?.gpu.power?.limit == 350_000)
    }

    @Test func aNodeWithoutDriverAndGPUsIsWell() async throws {
        let driver = try FakeDriver()
        var settings = GPUWatch.Settings()
        (settings.library, settings.sys) = ("/nowhere/libnvidia-ml.so.1", driver.sys)
        let watch = GPUWatch(settings)
        let snapshot = await watch.looked()
        #expect(snapshot.driver.state == .noLibrary)
        #expect(snapshot.driver.reason?.contains("/nowhere/libnvidia-ml.so.1") == true)
        #expect(snapshot.gpus.isEmpty)
        #expect(snapshot.node.state == .healthy)
        // Not so with a GPU in it.
        try driver.plug("0000:3b:00.0", driver: nil)
        let other = await watch.looked()
        #expect(other.gpus.map { $0.rules } == [[.driver]])
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
        let watch = driver.watch()
        let snapshot = await watch.looked()
        #expect(snapshot.driver.state == state)
        #expect(snapshot.driver.moduleVersion == "535.104.05")
        #expect(snapshot.gpus.map(\.verdict.state) == [verdict])
        #expect(snapshot.node.action == action)
        // And back, once it is in order.
        try driver.write("gpus 1")
        let later = await watch.looked()
        #expect(later.driver.state == .ready)
        #expect(later.node.state == .healthy)
    }

    @Test func aDriverThatIsExchangedIsOpenedAgain() async throws {
        let driver = try FakeDriver("gpus 1\ndriver 550.54.15")
        let watch = driver.watch()
        #expect(await watch.looked().driver.openings == 1)
        try driver.write("gpus 1\ndriver 570.10.01\nepoch 2")
        let between = await watch.looked()
        #expect(between.driver.state == .notLoaded)
        #expect(between.gpus.map { $0.rules } == [[.driver]])
        let after = await watch.looked()
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
        let snapshot = await driver.watch().looked()
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
        let watch = driver.watch()
        #expect(await watch.looked().node.state == .healthy)
        try driver.write("gpus 3\ngpu 1 lost 1")
        let snapshot = await watch.looked()
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unhealthy, .healthy])
        #expect(snapshot.gpus[1].rules == [.lost])
        #expect((snapshot.gpus[1].isVisible, snapshot.gpus[1].gpu.index) == (false, 1))
        #expect(snapshot.node.action == .reboot)
        #expect(snapshot.node.findings.map(\.evidence) == ["1 of 3 GPUs: 0000:11:00.0"])
        try driver.write("gpus 3")
        #expect(await watch.looked().node.state == .healthy)
    }

    @Test func numbersOutOfAllReasonDoNoHarm() async throws {
        let most = UInt64.max
        let keys = ["nvlink-crc", "nvlink-replay", "link-crc", "energy", "replays", "used", "recovery", "fabric-state"]
        var script = "gpus 1\ngpu 0 nvlinks 2\nprocess 0 4294967295 \(most - 1)\nprocess 0 2 \(most - 1)\n"
        for key in keys { script += "gpu 0 \(key) \(most)\n" }
        let driver = try FakeDriver(script)
        let watch = driver.watch()
        for _ in 0..<2 { await watch.look() }
        let sample = try #require(watch.snapshot().gpus.first?.sample)
        #expect(sample.nvlinkErrors == .init(crcFlit: most, crc: most - 1, replay: most))
        #expect((sample.energy, sample.pcieReplays) == (most, UInt64(UInt32.max)))
        #expect((sample.recovery, sample.fabric) == (nil, nil))
        #expect(sample.processes?.map(\.pid) == [-1, 2])
    }

    @Test func aGPUThatHasToBeResetSaysSo() async throws {
        let driver = try FakeDriver("gpus 1\nfail nvmlDeviceGetUtilizationRates 0 16")
        let report = try #require(await driver.watch().looked().gpus.first)
        #expect(report.rules == [.resetRequired])
        #expect(report.verdict.action == .resetGPU)
    }

    @Test func aCallThatFailsIsKeptAsSuch() async throws {
        let driver = try FakeDriver("gpus 1\nfail nvmlDeviceGetPowerUsage 0 999\nfail nvmlDeviceGetSerial 0 3")
        let report = try #require(await driver.watch().looked().gpus.first)
        #expect(report.sample?.failures == [NVMLError("nvmlDeviceGetPowerUsage", .init(rawValue: 999))])
        #expect((report.sample?.power, report.gpu.serial) == (nil, nil))
        #expect(report.verdict.state == .healthy)
    }

    @Test func aCallThatHangsHoldsNobodyBack() async throws {
        let driver = try FakeDriver("gpus 3")
        let watch = driver.watch(limit: .milliseconds(100))
        #expect(await watch.looked().node.state == .healthy)
        try driver.write("gpus 3\nhang nvmlDeviceGetPowerUsage 1\ngpu 0 temperature 50")
        let snapshot = await watch.looked()
        #expect(snapshot.driver.hung?.call == "nvmlDeviceGetPowerUsage")
        #expect(snapshot.driver.hung?.bus == PCIAddress(bus: 0x11))
        #expect(snapshot.gpus.map(\.verdict.state) == [.healthy, .unknown, .healthy])
        #expect(snapshot.gpus[1].rules == [.hungCall])
        // What was asked before it is new; the sample of the one that hangs is its last.
        #expect(snapshot.gpus[0].sample?.temperature == 50)
        #expect(snapshot.gpus[1].sample?.power == 70_000)
        // In time, nothing is known of any.
        let later = watch.snapshot(at: .now.advanced(by: 120))
        #expect(later.gpus.map { $0.rules } == [[.noSample], [.hungCall], [.noSample]])
        // It comes back.
        try driver.write("gpus 3")
        try await until { await watch.looked().driver.hung == nil }
        #expect(await watch.looked().node.state == .healthy)
    }

    @Test func aDriverThatHangsWhenOpenedIsUnknown() async throws {
        let driver = try FakeDriver("gpus 1\nhang nvmlDeviceGetCount_v2 *")
        try driver.plug("0000:10:00.0")
        let watch = driver.watch(limit: .milliseconds(50))
        let snapshot = await watch.looked()
        #expect(snapshot.driver.hung?.bus == nil)
        #expect(snapshot.gpus.map { $0.rules } == [[.hungCall]])
        try driver.write("gpus 1")
        try await until { await watch.looked().node.state == .healthy }
    }
}
