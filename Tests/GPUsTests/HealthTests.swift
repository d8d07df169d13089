import Testing

@testable import GPUs

/// The rules, on what they are told; nobody is asked, and time is what the test says.
@Suite struct HealthTests {
    private let bus = PCIAddress(bus: 0x3b)
    private let start = Moment(time: 1_700_000_000, uptime: 10_000)

    private func ledger() -> Ledger {
        var ledger = Ledger(.init(call: 5, sampleLife: 8), at: start)
        ledger.take(.status(DriverStatus(.ready, since: start)))
        var gpu = GPU(bus: bus)
        (gpu.index, gpu.pcieLimit) = (0, .init(generation: 5, width: 16))
        ledger.take(.description(gpu))
        return ledger
    }

    /// What the only GPU's verdict is, once it was sampled so many seconds after the start.
    private func verdict(
        _ ledger: inout Ledger, at seconds: Double, _ change: (inout Sample) -> Void = { _ in }
    ) throws -> Verdict {
        let now = start.advanced(by: seconds)
        var sample = Sample(taken: now)
        change(&sample)
        ledger.take(.sample(bus, sample))
        return try #require(ledger.snapshot(at: now, pending: nil).gpus.first).verdict
    }

    @Test func aGPUOfWhichNothingIsAmissIsHealthy() throws {
        var ledger = ledger()
        let verdict = try verdict(&ledger, at: 0)
        #expect(verdict == Verdict(.healthy, since: start))
        #expect(try self.verdict(&ledger, at: 5).since == start)
        #expect(verdict.action == .none)
    }

    @Test(
        arguments: [
            Case(.uncorrectedMemoryErrors, .unhealthy, .resetGPU) { $0.ecc = .init(corrected: 9, uncorrected: 1) },
            Case(.remappingPending, .degraded, .resetGPU) {
                $0.remappedRows = .init(corrected: 0, uncorrected: 1, isPending: true, hasFailed: false)
            },
            Case(.remappingFailed, .unhealthy, .contactSupport) {
                $0.remappedRows = .init(corrected: 0, uncorrected: 1, isPending: false, hasFailed: true)
            },
            Case(.retirementPending, .degraded, .resetGPU) { $0.retiredPages = .init(isPending: true) },
            Case(.pcieWidth, .degraded, .checkMechanicals) { $0.pcie = .init(generation: 1, width: 8) },
            Case(.thermalSlowdown, .degraded, .checkMechanicals) { $0.clockReasons = [.hardwareThermal] },
            Case(.thermalSlowdown, .degraded, .checkMechanicals) { $0.clockReasons = [.softwareThermal, .powerCap] },
            Case(.powerBrake, .degraded, .checkMechanicals) { $0.clockReasons = [.powerBrake] },
            Case(.fabric, .unhealthy, .restartFabricManager) { $0.fabric = .init(state: .notStarted, status: 0) },
            Case(.fabric, .degraded, .restartFabricManager) { $0.fabric = .init(state: .inProgress, status: 0) },
            Case(.fabric, .unhealthy, .restartFabricManager) { $0.fabric = .init(state: .completed, status: 999) },
            Case(.fabric, .degraded, .followNVLinkWorkflow) {
                $0.fabric = .init(state: .completed, status: 0, health: 0b10_01_10_10)
            },
            Case(.callFailed, .unknown, .contactSupport) {
                $0.failures = [NVMLError("nvmlDeviceGetMemoryInfo", .init(rawValue: 999))]
            },
            Case(.callFailed, .degraded, .checkMechanicals) {
                ($0.memory, $0.failures) = (.init(total: 2, used: 1, free: 1), [NVMLError("x", .insufficientPower)])
            },
            Case(.recovery, .unhealthy, .reboot) { $0.recovery = .rebootNode },
            Case(.recovery, .unhealthy, .drainAndReset) { $0.recovery = .drainAndReset },
        ])
    func whatIsAmissIsFound(_ fault: Case) throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0)
        let found = try verdict(&ledger, at: 1, fault.change)
        #expect(found.findings.map(\.rule) == [fault.rule])
        #expect((found.state, found.action) == (fault.state, fault.action))
        #expect(found.since == start.advanced(by: 1))
        #expect(found.findings.allSatisfy { !$0.evidence.isEmpty })
    }

    struct Case: Sendable {
        var rule: Rule
        var state: Verdict.State
        var action: Action
        var change: @Sendable (inout Sample) -> Void

        init(
            _ rule: Rule, _ state: Verdict.State, _ action: Action, _ change: @escaping @Sendable (inout Sample) -> Void
        ) {
            (self.rule, self.state, self.action, self.change) = (rule, state, action, change)
        }
    }

    @Test func whatIsAsItShouldBeIsNoFinding() throws {
        var ledger = ledger()
        let verdict = try verdict(&ledger, at: 0) {
            $0.ecc = .init(corrected: 1000, uncorrected: 0, correctedEver: 9000, uncorrectedEver: 3)
            $0.remappedRows = .init(corrected: 2, uncorrected: 1, isPending: false, hasFailed: false)
            $0.retiredPages = .init(singleBit: 3, doubleBit: 1, isPending: false)
            $0.pcie = .init(generation: 1, width: 16)
            $0.clockReasons = [.idle, .powerCap, .clocksSetting, .syncBoost]
            $0.fabric = .init(state: .completed, status: 0, health: 0b10_10_10_10)
            $0.recovery = Sample.RecoveryAction.none
            $0.nvlinkErrors = .init(crcFlit: 5, replay: 7)
            $0.pcieReplays = 4000
            $0.memory = .init(total: 2, used: 1, free: 1)
            $0.failures = [NVMLError("nvmlDeviceGetPowerUsage", .init(rawValue: 999))]
        }
        #expect(verdict.findings.isEmpty)
    }

    @Test func aFindingKeepsItsBeginningAndEndsWithItsCause() throws {
        var ledger = ledger()
        let pending = Sample.RemappedRows(corrected: 0, uncorrected: 1, isPending: true, hasFailed: false)
        _ = try verdict(&ledger, at: 0) { $0.remappedRows = pending }
        // Worse things come first, and have their own beginning.
        let worse = try verdict(&ledger, at: 5) { ($0.remappedRows, $0.ecc) = (pending, .init(uncorrected: 2)) }
        #expect(worse.findings.map(\.rule) == [.uncorrectedMemoryErrors, .remappingPending])
        #expect(worse.findings.map(\.since) == [start.advanced(by: 5), start])
        #expect(worse.since == start.advanced(by: 5))
        #expect(try verdict(&ledger, at: 6) == Verdict(.healthy, since: start.advanced(by: 6)))
    }

    @Test func replaysCountByTheMinute() throws {
        var ledger = ledger()
        for minute in 0..<5 {
            // Eight a minute are allowed.
            #expect(
                try verdict(&ledger, at: Double(minute) * 60) { $0.pcieReplays = 4000 + UInt64(minute) * 8 }.state
                    == .healthy)
        }
        #expect(
            try verdict(&ledger, at: 300) { $0.pcieReplays = 4041 }.findings.map(\.evidence)
                == ["9 PCIe replays in the last minute"])
        #expect(try verdict(&ledger, at: 361) { $0.pcieReplays = 4041 }.state == .healthy)
    }

    @Test func linkErrorsThatRiseAreAFaultForTenMinutes() throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0) { $0.nvlinkErrors = .init(crcFlit: 5, replay: 7) }
        let rising = try verdict(&ledger, at: 60) { $0.nvlinkErrors = .init(crcFlit: 5, replay: 10) }
        #expect(rising.findings.map(\.evidence) == ["3 NVLink errors in the last 10 minutes"])
        for second in stride(from: 90.0, through: 600, by: 30) {
            let later = try verdict(&ledger, at: second) { $0.nvlinkErrors = .init(crcFlit: 5, replay: 10) }
            #expect(later.state == .degraded)
        }
        #expect(try verdict(&ledger, at: 690) { $0.nvlinkErrors = .init(crcFlit: 5, replay: 10) }.state == .healthy)
    }

    @Test func aCounterThatWasResetHasNotRisen() throws {
        var ledger = ledger()
        func state(at seconds: Double, _ replays: UInt64, _ linkReplays: UInt64) throws -> Verdict.State {
            let counts = (replays, Sample.NVLinkErrors(replay: linkReplays))
            return try verdict(&ledger, at: seconds) { ($0.pcieReplays, $0.nvlinkErrors) = counts }.state
        }
        #expect(try state(at: 0, 4000, 100) == .healthy)
        #expect(try state(at: 1, 0, 0) == .healthy)
        #expect(try state(at: 2, 20, 0) == .degraded)
    }

    @Test func aLinkThatGoesDownIsMissed() throws {
        var ledger = ledger()
        var gpu = GPU(bus: bus)
        gpu.nvlinks = (0..<4).map { GPU.NVLink(link: $0, isActive: $0 > 0) }
        ledger.take(.description(gpu))
        #expect(try verdict(&ledger, at: 0).state == .healthy)
        gpu.nvlinks[2].isActive = false
        ledger.take(.description(gpu))
        #expect(try verdict(&ledger, at: 1).findings.map(\.evidence) == ["2 NVLinks are active; there were 3"])
    }

    @Test func heatThatLastsIsSerious() throws {
        var ledger = ledger()
        for second in stride(from: 0.0, to: 600, by: 30) {
            #expect(try verdict(&ledger, at: second) { $0.clockReasons = [.hardwareThermal] }.state == .degraded)
        }
        let long = try verdict(&ledger, at: 600) { $0.clockReasons = [.hardwareThermal] }
        #expect((long.state, long.findings.first?.since) == (.unhealthy, start))
        // It must be gone for a minute.
        #expect(try verdict(&ledger, at: 630) { $0.clockReasons = [] }.state == .unhealthy)
        #expect(try verdict(&ledger, at: 661) { $0.clockReasons = [] }.state == .healthy)
    }

    private func xid(_ code: Int, at seconds: Double, _ text: String? = nil) -> DriverLine {
        var event = XIDEvent(source: .kernelLog, moment: start.advanced(by: seconds), code: code, bus: bus)
        event.text = text
        return .xid(event)
    }

    @Test(arguments: [8, 13, 31, 43, 45, 63, 94])
    func aProgramsFaultBlamesNoGPU(_ code: Int) throws {
        var ledger = ledger()
        ledger.take(Array(repeating: xid(code, at: 0), count: 1000))
        #expect(try verdict(&ledger, at: 1).state == .healthy)
        #expect(ledger.snapshot(at: start, pending: nil).xidCounts.map(\.count) == [1000])
    }

    @Test(
        arguments: [
            (79, nil, Verdict.State.unhealthy, Action.reboot), (119, nil, .unhealthy, .resetGPU),
            (145, "RLW_RXPIPE Nonfatal XC0 i0 Link 13", .degraded, .followNVLink5Workflow),
            (149, "NETIR_LINK_EVT  Fatal   XC0 i0 Link 01", .unhealthy, .followNVLink5Workflow),
            (154, "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)", .unhealthy, .resetGPU),
            (142, nil, .degraded, .contactSupport), (4711, nil, .degraded, .contactSupport),
        ])
    func aFaultOfTheGPUIsAFinding(_ code: Int, _ text: String?, _ state: Verdict.State, _ action: Action) throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0)
        ledger.take([xid(code, at: -100, text), xid(code, at: -50, text)])
        let found = try verdict(&ledger, at: 1)
        #expect((found.state, found.action) == (state, action))
        #expect(found.findings.first?.evidence.hasPrefix("XID \(code), 2 times: ") == true)
        // It is as old as the event.
        #expect(found.since == start.advanced(by: -50))
    }

    @Test func aFaultStaysUntilTheGPUBeginsAnew() throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0) { $0.energy = 5000 }
        ledger.take([xid(95, at: 0.5)])
        #expect(try verdict(&ledger, at: 1) { $0.energy = 6000 }.state == .unhealthy)
        #expect(try verdict(&ledger, at: 86400) { $0.energy = 7000 }.state == .unhealthy)
        // The counter of energy begins again: it was reset.
        #expect(try verdict(&ledger, at: 86401) { $0.energy = 10 }.state == .healthy)
        ledger.take([xid(95, at: 86402)])
        #expect(try verdict(&ledger, at: 86403) { $0.energy = 20 }.state == .unhealthy)
        ledger.take([.loaded(start.advanced(by: 86404))])
        #expect(try verdict(&ledger, at: 86405) { $0.energy = 30 }.state == .healthy)
    }

    @Test func aDriverThatNeedsNoRecoveryHasTheLastWord() throws {
        var ledger = ledger()
        ledger.take([xid(119, at: 0)])
        #expect(try verdict(&ledger, at: 1) { $0.recovery = Sample.RecoveryAction.none }.state == .unhealthy)
        #expect(try verdict(&ledger, at: 11) { $0.recovery = Sample.RecoveryAction.none }.state == .healthy)
    }

    @Test func aRecoveryThatIsDoneIsNoFinding() throws {
        var ledger = ledger()
        ledger.take([
            xid(154, at: 0, "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)"),
            xid(154, at: 9, "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)"),
        ])
        #expect(try verdict(&ledger, at: 10).state == .healthy)
    }

    @Test func anOldSampleSaysNothing() throws {
        var ledger = ledger()
        #expect(try verdict(&ledger, at: 0).state == .healthy)
        let later = ledger.snapshot(at: start.advanced(by: 9), pending: nil).gpus[0]
        #expect(later.verdict.findings.map(\.evidence) == ["its last sample is 9 s old"])
        #expect(later.verdict.state == .unknown)
    }

    @Test(arguments: [("nvmlDeviceGetName", 5.0), ("nvmlInit_v2", 60)])
    func aCallHasItsTime(_ call: String, _ limit: Double) throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0)
        let pending = PendingCall(call: call, bus: nil, since: start)
        #expect(ledger.snapshot(at: start.advanced(by: limit), pending: pending).driver.hung == nil)
        #expect(ledger.snapshot(at: start.advanced(by: limit + 0.1), pending: pending).driver.hung == pending)
    }

    @Test func memoryThatIsHeldWithNothingDoneIsIdle() throws {
        var ledger = ledger()
        let processes = [(1, 100), (2, 50)].map { GPUProcess(pid: $0, kind: .compute, memory: $1) }
        func idle(at seconds: Double, _ utilization: UInt32?, _ processes: [GPUProcess]?) throws -> Idle? {
            _ = try verdict(&ledger, at: seconds) { ($0.utilization, $0.processes) = (utilization, processes) }
            return ledger.snapshot(at: start.advanced(by: seconds), pending: nil).gpus.first?.idle
        }
        #expect(try idle(at: 0, 0, []) == nil)
        #expect(try idle(at: 10, 0, processes) == Idle(since: start.advanced(by: 10), memory: 150))
        #expect(try idle(at: 20, 0, processes) == Idle(since: start.advanced(by: 10), memory: 150))
        #expect(try idle(at: 30, 1, processes) == nil)
        #expect(try idle(at: 40, 0, processes) == Idle(since: start.advanced(by: 40), memory: 150))
        // Nobody can say, with MIG or an old driver.
        #expect(try idle(at: 50, nil, processes) == nil)
        #expect(try idle(at: 60, 0, nil) == nil)
    }

    @Test func aGPUIsNotLostBeforeAllWereAskedFor() throws {
        var ledger = Ledger(.init(call: 5, sampleLife: 8), at: start)
        ledger.take(Ledger.Machine(pci: [.init(kind: .gpu, bus: bus, driver: "nvidia")]), at: start)
        func rules() -> [[Rule]] {
            ledger.snapshot(at: start, pending: nil).gpus.map { $0.verdict.findings.map(\.rule) }
        }
        #expect(rules() == [[.driver]])
        ledger.take(.status(DriverStatus(.ready, since: start)))
        #expect(rules() == [[.noSample]])
        ledger.take(.round(shown: [], ended: start, duration: 0))
        #expect(rules() == [[.lost]])
        // NVML is opened anew: nobody was asked yet.
        ledger.take(.status(DriverStatus(.notLoaded, since: start)))
        ledger.take(.status(DriverStatus(.ready, since: start)))
        #expect(rules() == [[.noSample]])
    }

    /// The kernel shows it first, and goes on showing the same.
    @Test func aGPUThatWasGivenToAVirtualMachineGoesWhenTheDriverLosesIt() throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0)
        let given = Ledger.Machine(pci: [.init(kind: .gpu, bus: bus, driver: "vfio-pci")])
        ledger.take(given, at: start)
        #expect(ledger.snapshot(at: start, pending: nil).gpus.count == 1)
        ledger.take(.round(shown: [], ended: start, duration: 0))
        let isNews = ledger.take(given, at: start)
        #expect(isNews && ledger.snapshot(at: start, pending: nil).gpus.isEmpty)
        let isNewsAgain = ledger.take(given, at: start)
        #expect(!isNewsAgain)
    }

    @Test func switchesWithoutAFabricManagerAreTheNodesFault() throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0)
        ledger.take(Ledger.Machine(fabricManagerRuns: false), at: start)
        let node = ledger.snapshot(at: start, pending: nil).node
        #expect((node.state, node.action) == (.unhealthy, .restartFabricManager))
        ledger.take(Ledger.Machine(fabricManagerRuns: true), at: start)
        #expect(ledger.snapshot(at: start, pending: nil).node.state == .healthy)
    }

    @Test(arguments: [(20034, Action.drainAndReset), (12020, .reboot), (23017, .reboot)])
    func aSwitchThatFailedIsTheNodesFaultUntilTheDriverIsLoadedAgain(_ code: Int, _ action: Action) throws {
        var ledger = ledger()
        _ = try verdict(&ledger, at: 0)
        let bus = PCIAddress(bus: 0xc1)
        func fault(at seconds: Double, isFatal: Bool) -> DriverLine {
            .switchFault(SwitchFault(bus, code, isFatal: isFatal, at: start.advanced(by: seconds), "Link 63 Fault Up"))
        }
        ledger.take(Array(repeating: fault(at: -60, isFatal: false), count: 1000))
        #expect(ledger.snapshot(at: start, pending: nil).node.state == .healthy)
        ledger.take([fault(at: -50, isFatal: true), fault(at: -40, isFatal: true)])
        let found = ledger.snapshot(at: start, pending: nil)
        #expect(found.switchFaults.map(\.count) == [1000, 2])
        #expect((found.node.state, found.node.action) == (.unhealthy, action))
        #expect(found.node.findings.map(\.rule) == [.sxid])
        #expect(found.node.findings[0].evidence == "SXid \(code) of the NVSwitch \(bus), 2 times: Link 63 Fault Up")
        #expect(found.node.since == start.advanced(by: -40))
        #expect(found.gpus.map(\.verdict.state) == [.healthy])
        ledger.take([.loaded(start.advanced(by: -30))])
        #expect(ledger.snapshot(at: start, pending: nil).node.state == .healthy)
    }
}
