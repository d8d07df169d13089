import Testing

@testable import Agent
@testable import GPUs

@Suite struct RingSampleTests {
    private static func event(_ sequence: UInt64?, at uptime: Double) -> XIDEvent {
        let moment = Moment(time: 1_760_000_000 + uptime, uptime: uptime)
        var event = XIDEvent(source: sequence == nil ? .nvml : .kernelLog, moment: moment, code: 79, bus: nil)
        event.sequence = sequence
        return event
    }

    private func report(_ events: [XIDEvent], boot: String = "b", logFault: String? = nil) -> Report {
        var machine = Machine()
        machine.snapshot.kernelLogFault = logFault
        machine.snapshot.xids = events
        return Report(node: "n", boot: boot, snapshot: machine.snapshot, owners: [], machine: machine.sample)
    }

    @Test func aFaultStandsInOneSampleOnly() {
        let old = [Self.event(7, at: 100)]
        let first = RingSample(report(old), number: 1, after: nil)
        #expect(first.xids == old)
        #expect(first.lastXID == 7)
        let second = RingSample(report(old), number: 2, after: first)
        #expect(second.xids == [])
        #expect(second.lastXID == 7)
        // NVML's own word of it comes first, and is replaced by the log's.
        let early = RingSample(report(old + [Self.event(nil, at: 5002)]), number: 3, after: second)
        #expect(early.xids == [])
        let new = [Self.event(8, at: 5001)]
        #expect(RingSample(report(old + new), number: 4, after: early).xids == new)
    }

    @Test func withoutTheKernelsLogNVMLCounts() {
        let old = [Self.event(nil, at: 4000)]
        let first = RingSample(report(old, logFault: "no right"), number: 1, after: nil)
        #expect(first.xids == old)
        let new = [Self.event(nil, at: 5002)]
        #expect(RingSample(report(old + new, logFault: "no right"), number: 2, after: first).xids == new)
    }

    @Test func afterAnotherStartOfTheMachineNumbersBeginAnew() {
        let first = RingSample(report([Self.event(700, at: 100)]), number: 1, after: nil)
        let second = RingSample(report([Self.event(3, at: 5)], boot: "c"), number: 2, after: first)
        #expect(second.xids.count == 1)
        #expect(second.lastXID == 3)
    }

    @Test func itReadsBack() throws {
        let sample = RingSample(report([Self.event(7, at: 100)]), number: 9, after: nil)
        let again: RingSample = try JSONText.value(of: JSONText.bytes(of: sample))
        #expect(again.number == 9)
        #expect(again.lastXID == 7)
        #expect(again.gpus.map(\.bus.description) == ["0000:3b:00.0", "0000:5e:00.0"])
    }

    @Test func whatALostGPUDidBeforeIsNotRecordedAsNow() {
        var machine = Machine(lost: true)
        machine.snapshot.taken = Machine.now.advanced(by: 60)
        let sample = RingSample(machine.report, number: 1, after: nil)
        #expect(sample.gpus.map(\.isVisible) == [true, false])
        #expect(sample.gpus[1].sample == nil)
    }
}
