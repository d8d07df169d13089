import Testing

@testable import Agent
@testable import GPUs

@Suite struct ShowTests {
    @Test func aHealthyNodeOnOneScreen() {
        var machine = Machine()
        machine.sample.load1 = 3.14
        machine.sample.processors = 64
        machine.sample.isKubeletAlive = true
        machine.sample.isContainerdAlive = false
        #expect(
            StatusTable(machine.report).lines(coloured: false) == [
                "node1 · driver 550.54.15 · CUDA 12.4 · 2 GPUs · healthy for 60 s", "",
                "GPU  MODEL            USE           MEMORY  POWER  TEMP  HEALTH   WHO",
                "  0  H100 80GB HBM3  97 %  40.0 / 79.6 GiB  612 W     -  healthy  anna (jhub/jupyter-anna) 39.0 GiB",
                "  1  H100 80GB HBM3  97 %  40.0 / 79.6 GiB  612 W     -  healthy", "",
                "machine: load 3.1 of 64 processors, kubelet answers, containerd does not answer",
            ])
    }

    @Test func aLostGPUStandsOut() {
        let lines = StatusTable(Machine(lost: true).report).lines(coloured: false)
        #expect(lines[0] == "node1 · driver 550.54.15 · CUDA 12.4 · 1 of 2 GPUs · unhealthy for 0 s")
        #expect(lines[4].hasSuffix("  -                -      -     -  lost"))
        #expect(lines.contains("! GPU 1: PCI shows it, the driver does not: reboot the machine"))
    }

    @Test func coloursDoNotMoveColumns() {
        let plain = StatusTable(Machine().report).lines(coloured: false)
        let coloured = StatusTable(Machine().report).lines(coloured: true)
        #expect(coloured != plain)
        #expect(coloured.map { $0.replacing(/\u{1b}\[[0-9]+m/, with: "") } == plain)
    }

    @Test func aGPUIsExplained() throws {
        var machine = Machine(lost: true)
        var event = XIDEvent(
            source: .kernelLog, moment: Machine.now, code: 79, bus: machine.snapshot.gpus[1].gpu.bus)
        (event.pid, event.processName) = (41, "python3")
        machine.snapshot.xids = [event]
        let lines = try #require(Explanation(of: "1", in: machine.report)).lines
        #expect(lines[0] == "GPU 1: NVIDIA H100 80GB HBM3, GPU-00000001-1111, 0000:5e:00.0")
        #expect(lines[1] == "unhealthy since 2025-10-09T08:53:20Z")
        #expect(lines.contains("  to do: reboot the machine (RESTART_BM)"))
        #expect(lines.contains { $0.contains("XID 79 (process 41, python3): ") })
    }

    @Test(arguments: ["0", "3b:00.0", "0000:3B:00.0", "GPU-00000000-1111", "GPU-00000000"])
    func aGPUHasManyNames(_ name: String) {
        #expect(Explanation(of: name, in: Machine().report)?.lines[0].contains("0000:3b:00.0") == true)
    }

    @Test(arguments: ["2", "", "GPU-0000", "3c:00.0", "GPU-0000000"])
    func aNameThatIsNoneOrTwo(_ name: String) { #expect(Explanation(of: name, in: Machine().report) == nil) }

    @Test(arguments: [(0.2, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d")])
    func durations(_ seconds: Double, _ words: String) { #expect(Words.duration(seconds) == words) }
}
