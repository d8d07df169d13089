import Testing

@testable import GPUs

@Suite struct XIDTests {
    private let bus = PCIAddress(bus: 0x3b)

    private func event(_ source: XIDEvent.Source, _ code: Int, at uptime: Double = 0, text: String? = nil) -> XIDEvent {
        var event = XIDEvent(source: source, moment: Moment(time: uptime, uptime: uptime), code: code, bus: bus)
        event.text = text
        return event
    }

    /// NVIDIA's words for them: RESTART_APP or IGNORE.
    @Test(arguments: [8, 13, 31, 32, 43, 45, 63, 68, 94])
    func aProgramsFaultSaysNothingAgainstTheGPU(_ code: Int) throws {
        #expect(try #require(XIDEntry.catalogue[code]).effect == .healthy)
    }

    @Test(
        arguments: [
            (48, Action.followXID48Workflow), (62, .resetGPU), (64, .resetGPU), (74, .followNVLinkWorkflow),
            (79, .reboot), (95, .resetGPU), (119, .resetGPU), (120, .resetGPU), (140, .resetGPU), (151, .restartVM),
        ])
    func aFaultOfTheGPUHasItsAction(_ code: Int, _ action: Action) throws {
        let entry = try #require(XIDEntry.catalogue[code])
        #expect(entry.effect == .unhealthy)
        #expect(entry.action == action)
    }

    @Test func anEventThatBothTellOfCountsOnce() {
        for order in [[XIDEvent.Source.nvml, .kernelLog], [.kernelLog, .nvml]] {
            var log = XIDLog()
            for source in order { log.take(event(source, 79, text: source == .kernelLog ? "words" : nil)) }
            #expect(log.counts == [XIDCount(bus: bus, code: 79, count: 1)])
            // The words stay, whoever came first.
            #expect(log.recent.map(\.text) == ["words"])
        }
    }

    @Test func eventsOfBeforeTheStartAreNotToldAgainByNVML() {
        var log = XIDLog()
        for _ in 0..<3 { log.take(event(.kernelLog, 31)) }
        log.take(event(.nvml, 31))
        log.take(event(.kernelLog, 31))
        #expect(log.counts.map(\.count) == [4])
    }

    @Test func withoutAKernelLogNVMLAloneCounts() {
        var log = XIDLog()
        for _ in 0..<5 { log.take(event(.nvml, 31)) }
        log.take(event(.nvml, 79))
        #expect(log.counts.map(\.count) == [5, 1])
        #expect(log.recent.count == 6)
    }

    @Test func aStormIsCountedWholeAndKeptInPart() {
        var log = XIDLog()
        for number in 0..<10_000 { log.take(event(.kernelLog, 13, at: Double(number))) }
        #expect(log.counts.map(\.count) == [10_000])
        #expect(log.recent.count == 256)
        #expect(log.recent.last?.moment.uptime == 9_999)
    }

    @Test func loadingTheDriverEndsWhatWasBefore() {
        var log = XIDLog()
        log.take(event(.kernelLog, 79, at: 100))
        log.take(.loaded(Moment(time: 200, uptime: 200)))
        #expect(log.latest(on: bus).isEmpty)
        log.take(event(.kernelLog, 119, at: 300))
        #expect(log.latest(on: bus).map(\.event.code) == [119])
        #expect(log.counts.map(\.code) == [79, 119])
    }

    @Test(
        arguments: [
            (
                "GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)",
                Sample.RecoveryAction.drainAndReset
            ),
            ("GPU recovery action changed from 0x4 (Drain and Reset) to 0x1 (GPU Reset Required)", .resetGPU),
            ("GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)", .none),
        ])
    func readsWhatTheDriverWantsToHaveDone(_ text: String, _ action: Sample.RecoveryAction) {
        #expect(event(.kernelLog, 154, text: text).recovery == action)
    }
}
