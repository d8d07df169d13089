import SystemPackage
import Testing

@testable import Agent
@testable import GPUs

@Suite struct MetricsTests {
    private let gpu0 = #"gpu="0",uuid="GPU-00000000-1111",bus="0000:3b:00.0""#

    @Test func unitsAreBaseUnits() {
        let machine = Machine()
        #expect(machine.lines("jhub_gpu_utilization_ratio")[0] == "jhub_gpu_utilization_ratio{\(gpu0)} 0.97")
        #expect(machine.lines("jhub_gpu_power_watts")[0] == "jhub_gpu_power_watts{\(gpu0)} 612.345")
        #expect(machine.lines("jhub_gpu_energy_joules_total")[0] == "jhub_gpu_energy_joules_total{\(gpu0)} 1234.567")
        #expect(machine.lines("jhub_gpu_sm_clock_hertz")[0] == "jhub_gpu_sm_clock_hertz{\(gpu0)} 1980000000")
        #expect(machine.lines("jhub_gpu_memory_used_bytes")[0].hasSuffix(" 42949672960"))
    }

    @Test func whatWasNotMeasuredIsAbsentAndNotZero() {
        let machine = Machine()
        #expect(machine.lines("jhub_gpu_temperature_celsius") == [])
        #expect(machine.lines("jhub_gpu_memory_reserved_bytes") == [])
        #expect(machine.lines("jhub_gpu_ecc_errors_total") == [])
    }

    @Test func aLostGPUIsDownAndHasNoNumbers() {
        let machine = Machine(lost: true)
        #expect(machine.lines("jhub_gpu_up").map { $0.suffix(2) } == [" 1", " 0"])
        #expect(machine.lines("jhub_gpu_power_watts").count == 1)
        #expect(machine.lines("jhub_node_gpus") == ["jhub_node_gpus 2"])
        #expect(machine.lines("jhub_node_gpus_visible") == ["jhub_node_gpus_visible 1"])
        let states = machine.lines("jhub_gpu_verdict").filter { $0.hasSuffix(" 1") }
        #expect(states.count == 2)
        #expect(states[1].contains(#"bus="0000:5e:00.0",state="unhealthy""#))
        #expect(
            machine.lines("jhub_gpu_finding")[0].hasSuffix(#"rule="lost",state="unhealthy",action="RESTART_BM"} 1"#))
    }

    @Test func whoHoldsHowMuch() {
        var machine = Machine()
        #expect(
            machine.lines("jhub_gpu_holder_memory_bytes") == [
                "jhub_gpu_holder_memory_bytes{\(gpu0),namespace=\"jhub\",pod=\"jupyter-anna\",user=\"anna\"} 41875931136"
            ])
        machine.owners = []
        #expect(machine.lines("jhub_gpu_holder_memory_bytes") == ["jhub_gpu_holder_memory_bytes{\(gpu0)} 41875931136"])
    }

    @Test func aFloodOfPodsIsOneSeriesInTheEnd() {
        var machine = Machine()
        machine.owners = (0..<300).map { number in
            var owner = Owner()
            (owner.pod, owner.namespace) = ("pod-\(number)", "n")
            return ProcessOwner(pid: Int32(number), owner: owner)
        }
        machine.snapshot.gpus[0].sample?.processes = (0..<300).map { GPUProcess(pid: $0, kind: .compute, memory: 10) }
        let lines = machine.lines("jhub_gpu_holder_memory_bytes")
        #expect(lines.count == Metric.mostHolders + 1)
        #expect(lines.last == #"jhub_gpu_holder_memory_bytes{pod="(others)"} 440"#)
    }

    @Test func graveFaultsAreThereFromZeroOn() {
        var machine = Machine()
        let lines = machine.lines("jhub_gpu_xid_errors_total")
        #expect(lines.contains(#"jhub_gpu_xid_errors_total{\#(gpu0),xid="79",action="RESTART_BM"} 0"#))
        machine.snapshot.xidCounts = [
            XIDCount(bus: PCIAddress(bus: 0x3b), code: 79, count: 2), XIDCount(bus: nil, code: 13, count: 1),
        ]
        let after = machine.lines("jhub_gpu_xid_errors_total")
        #expect(after.contains(#"jhub_gpu_xid_errors_total{\#(gpu0),xid="79",action="RESTART_BM"} 2"#))
        #expect(after.contains { $0.hasPrefix(#"jhub_gpu_xid_errors_total{bus="",xid="13","#) })
    }

    @Test func faultsOfSwitchesAreCountedByGravity() {
        var machine = Machine()
        #expect(machine.lines("jhub_node_sxid_errors_total") == [])
        var fault = SwitchFault(PCIAddress(bus: 0xc1), 20034, isFatal: true, at: Machine.now, "Link 63 LTSSM Fault Up")
        fault.count = 3
        machine.snapshot.switchFaults = [fault]
        #expect(
            machine.lines("jhub_node_sxid_errors_total") == [
                #"jhub_node_sxid_errors_total{bus="0000:c1:00.0",sxid="20034",severity="fatal"} 3"#
            ])
    }

    @Test func errorsOfLinksAreToldByKind() {
        var machine = Machine()
        machine.snapshot.gpus[0].sample?.nvlinkErrors = .init(crc: 4, replay: 5, received: 6)
        #expect(
            machine.lines("jhub_gpu_nvlink_errors_total") == [
                #"jhub_gpu_nvlink_errors_total{\#(gpu0),kind="crc"} 4"#,
                #"jhub_gpu_nvlink_errors_total{\#(gpu0),kind="replay"} 5"#,
                #"jhub_gpu_nvlink_errors_total{\#(gpu0),kind="received"} 6"#,
            ])
    }

    @Test func labelsCanHoldAnything() {
        var machine = Machine()
        machine.owners[0].owner.user = "a\"b\\c\nd"
        #expect(machine.lines("jhub_gpu_holder_memory_bytes")[0].contains(#"user="a\"b\\c\nd""#))
    }

    @Test func aFamilyHasItsTypeOnceAndNoNameTwice() {
        #expect(Set(Metric.all.map(\.name)).count == Metric.all.count)
        #expect(Set(Metric.ofDCGM.map(\.name)).count == Metric.ofDCGM.count)
        for metric in Metric.all {
            #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
            #expect(metric.help.hasSuffix("."), "\(metric.name)")
        }
    }

    @Test func dashboardsOfDCGMFindTheirs() {
        let machine = Machine()
        func line(_ name: String) -> String? { machine.lines("DCGM_FI_DEV_\(name)", of: Metric.ofDCGM).first }
        let labels =
            #"{gpu="0",UUID="GPU-00000000-1111",pci_bus_id="00000000:3B:00.0",device="nvidia0","#
            + #"modelName="NVIDIA H100 80GB HBM3",Hostname="node1",hostname="node1",DCGM_FI_DRIVER_VERSION="550.54.15","#
            + #"container="notebook",namespace="jhub",pod="jupyter-anna"}"#
        #expect(line("GPU_UTIL") == "DCGM_FI_DEV_GPU_UTIL\(labels) 97")
        #expect(line("FB_USED") == "DCGM_FI_DEV_FB_USED\(labels) 40960")
        #expect(line("TOTAL_ENERGY_CONSUMPTION") == "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION\(labels) 1234567")
        #expect(line("XID_ERRORS") == "DCGM_FI_DEV_XID_ERRORS\(labels) 0")
        #expect(line("GPU_TEMP") == nil)
    }
}

@Suite struct AgentGuideTests {
    /// The checkout that the tests are of.
    private static let guide: String? = {
        let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let bytes = try? Disk.contents(of: folder.pushing("docs/agent.md"))
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }()

    @Test func theGuideExplainsEveryMetricAndNoOther() throws {
        let rows = try #require(Self.guide).split(separator: "\n").filter { $0.hasPrefix("| `jhub_") }
        let named = rows.map { String($0.split(separator: "`")[1]) }
        #expect(named == Metric.all.map(\.name))
        for (row, metric) in zip(rows, Metric.all) { #expect(row.contains("| \(metric.help) |"), "\(metric.name)") }
    }

    @Test func theGuideNamesEveryLabelOfTheNode() throws {
        for label in NodeMark(Machine().snapshot).labels.keys {
            #expect(try #require(Self.guide).contains("| `\(label)` |"))
        }
    }
}
