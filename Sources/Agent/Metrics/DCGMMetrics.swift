import GPUs

/// The names, units and labels of NVIDIA's dcgm-exporter (its default-counters.csv), for dashboards that exist:
/// percent, MHz, MiB, mJ. What only DCGM's profiling can measure (`DCGM_FI_PROF_…`) is not there.
extension Metric {
    static let ofDCGM: [Metric] = [
        dcgm("SM_CLOCK", "SM clock frequency (in MHz).") { $0.smClock },
        dcgm("MEM_CLOCK", "Memory clock frequency (in MHz).") { $0.memoryClock },
        dcgm("MEMORY_TEMP", "Memory temperature (in C).") { $0.memoryTemperature },
        dcgm("GPU_TEMP", "GPU temperature (in C).") { $0.temperature },
        dcgm("POWER_USAGE", "Power draw (in W).", times: 1e-3) { $0.power },
        dcgm("TOTAL_ENERGY_CONSUMPTION", "Total energy consumption since boot (in mJ).", as: .counter) { $0.energy },
        dcgm("PCIE_REPLAY_COUNTER", "Total number of PCIe retries.", as: .counter) { $0.pcieReplays },
        dcgm("GPU_UTIL", "GPU utilization (in %).") { $0.utilization },
        dcgm("MEM_COPY_UTIL", "Memory utilization (in %).") { $0.memoryUtilization },
        dcgm("ENC_UTIL", "Encoder utilization (in %).") { $0.encoder },
        dcgm("DEC_UTIL", "Decoder utilization (in %).") { $0.decoder },
        dcgm("FB_FREE", "Framebuffer memory free (in MiB).") { $0.memory.map { $0.free >> 20 } },
        dcgm("FB_USED", "Framebuffer memory used (in MiB).") { $0.memory.map { $0.used >> 20 } },
        dcgm("FB_RESERVED", "Framebuffer memory reserved (in MiB).") { $0.memory?.reserved.map { $0 >> 20 } },
        dcgm("UNCORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for uncorrectable errors", as: .counter) {
            $0.remappedRows?.uncorrected
        },
        dcgm("CORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for correctable errors", as: .counter) {
            $0.remappedRows?.corrected
        },
        dcgm("ROW_REMAP_FAILURE", "Whether remapping of rows has failed") {
            $0.remappedRows.map { $0.hasFailed ? 1 : 0 }
        },
        dcgm("POWER_VIOLATION", "Throttling duration due to power constraints (in ns).", as: .counter) {
            $0.powerViolation
        },
        dcgm("THERMAL_VIOLATION", "Throttling duration due to thermal constraints (in ns).", as: .counter) {
            $0.thermalViolation
        },
        dcgm("ECC_SBE_VOL_TOTAL", "Total number of single-bit volatile ECC errors.", as: .counter) {
            $0.ecc?.corrected
        },
        dcgm("ECC_DBE_VOL_TOTAL", "Total number of double-bit volatile ECC errors.", as: .counter) {
            $0.ecc?.uncorrected
        },
        dcgm("ECC_SBE_AGG_TOTAL", "Total number of single-bit persistent ECC errors.", as: .counter) {
            $0.ecc?.correctedEver
        },
        dcgm("ECC_DBE_AGG_TOTAL", "Total number of double-bit persistent ECC errors.", as: .counter) {
            $0.ecc?.uncorrectedEver
        },
        dcgm("RETIRED_SBE", "Total number of retired pages due to single-bit errors.", as: .counter) {
            $0.retiredPages?.singleBit
        },
        dcgm("RETIRED_DBE", "Total number of retired pages due to double-bit errors.", as: .counter) {
            $0.retiredPages?.doubleBit
        },
        dcgm("RETIRED_PENDING", "Total number of pages pending retirement.") {
            $0.retiredPages?.isPending.map { $0 ? 1 : 0 }
        },
        dcgm("NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", "Total number of NVLink flow-control CRC errors.", as: .counter) {
            $0.nvlinkErrors?.crcFlit
        },
        dcgm("NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", "Total number of NVLink data CRC errors.", as: .counter) {
            $0.nvlinkErrors?.crcData
        },
        dcgm("NVLINK_REPLAY_ERROR_COUNT_TOTAL", "Total number of NVLink retries.", as: .counter) {
            $0.nvlinkErrors?.replay
        },
        dcgm("NVLINK_RECOVERY_ERROR_COUNT_TOTAL", "Total number of NVLink recovery errors.", as: .counter) {
            $0.nvlinkErrors?.recovery
        },
        Metric(
            name: "DCGM_FI_DEV_XID_ERRORS", kind: .gauge, help: "Value of the last XID error encountered."
        ) { report in
            report.snapshot.gpus.filter(\.isVisible).map { gpu in
                let last = report.snapshot.xids.last { $0.bus == gpu.gpu.bus }
                return Value(labels: dcgmLabels(of: gpu, report), number: Double(last?.code ?? 0))
            }
        },
    ]

    private static func dcgm<Number: BinaryInteger & Sendable>(
        _ name: String, _ help: String, as kind: Kind = .gauge, times factor: Double = 1,
        _ value: @escaping @Sendable (Sample) -> Number?
    ) -> Metric {
        Metric(name: "DCGM_FI_DEV_\(name)", kind: kind, help: help) { report in
            report.snapshot.gpus.compactMap { gpu in
                guard gpu.isVisible, let number = gpu.sample.flatMap(value) else { return nil }
                return Value(labels: dcgmLabels(of: gpu, report), number: Double(number) * factor)
            }
        }
    }

    /// Dashboards in the field ask for `Hostname`; dcgm-exporter itself has called it `hostname` since 4.5 (its #655).
    private static func dcgmLabels(of gpu: GPUReport, _ report: Report) -> [Label] {
        var labels: [(String, String?)] = [
            ("gpu", gpu.gpu.index.map { String($0) }), ("UUID", gpu.gpu.uuid),
            ("pci_bus_id", "0000" + gpu.gpu.bus.description.uppercased()),
            ("device", gpu.gpu.minor.map { "nvidia\($0)" }), ("modelName", gpu.gpu.model), ("Hostname", report.node),
            ("hostname", report.node), ("DCGM_FI_DRIVER_VERSION", report.snapshot.driver.version),
        ]
        let holders = report.holders(of: gpu)
        // dcgm-exporter names the pod that was given the GPU; we, the one that is alone on it.
        if holders.count == 1, let owner = holders.first?.owner {
            labels += [("container", owner.name), ("namespace", owner.namespace), ("pod", owner.pod)]
        }
        return labels.compactMap { name, value in value.map { Label(name: name, value: $0) } }
    }
}
