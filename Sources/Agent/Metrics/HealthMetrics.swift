import GPUs

/// How it stands with each GPU, and what it has suffered.
extension Metric {
    static let ofHealth: [Metric] = [
        gpus("jhub_gpu_verdict", "How the GPU stands: 1 for the state that it is in.") { states($0.verdict) },
        gpus("jhub_gpu_verdict_since_timestamp_seconds", "Since when it is in that state.") {
            [([], $0.verdict.since.time)]
        },
        gpus(
            "jhub_gpu_finding",
            "What speaks against the GPU, and what NVIDIA's catalogue says is to be done; 1 for each."
        ) {
            findings($0.verdict)
        },
        Metric(
            name: "jhub_gpu_xid_errors_total", kind: .counter,
            help: "Faults that the driver reported since the machine started, and what is to be done by the catalogue.",
            values: xids),
        samples("jhub_gpu_ecc_errors_total", "Memory errors since the driver was loaded.", as: .counter, by: "kind") {
            ["corrected": $0.ecc?.corrected, "uncorrected": $0.ecc?.uncorrected]
        },
        samples("jhub_gpu_ecc_errors_ever", "Memory errors over the GPU's life.", by: "kind") {
            ["corrected": $0.ecc?.correctedEver, "uncorrected": $0.ecc?.uncorrectedEver]
        },
        samples("jhub_gpu_remapped_rows", "Rows of memory that were replaced by spare ones.", by: "kind") {
            [
                "corrected": $0.remappedRows.map { UInt64($0.corrected) },
                "uncorrected": $0.remappedRows.map { UInt64($0.uncorrected) },
            ]
        },
        sample("jhub_gpu_row_remapping_pending", "Whether a remapping waits for the next reset.") {
            $0.remappedRows.map { $0.isPending ? 1 : 0 }
        },
        sample("jhub_gpu_row_remapping_failed", "Whether there were no spare rows left.") {
            $0.remappedRows.map { $0.hasFailed ? 1 : 0 }
        },
        samples("jhub_gpu_retired_pages", "Pages of memory that are not used any more (before Ampere).", by: "kind") {
            ["single_bit": $0.retiredPages?.singleBit, "double_bit": $0.retiredPages?.doubleBit]
        },
        sample("jhub_gpu_page_retirement_pending", "Whether a page waits for the next reset.") {
            $0.retiredPages?.isPending.map { $0 ? 1 : 0 }
        },
        sample("jhub_gpu_pcie_replays_total", "Packets that had to be sent again.", as: .counter) { $0.pcieReplays },
        sample("jhub_gpu_pcie_generation", "Of the link, now.") { $0.pcie?.generation },
        sample("jhub_gpu_pcie_width_lanes", "Of the link, now.") { $0.pcie?.width },
        gpu("jhub_gpu_pcie_most_generation", "The most that GPU and slot can do.") {
            $0.gpu.pcieLimit.map { Double($0.generation) }
        },
        gpu("jhub_gpu_pcie_most_width_lanes", "The most that GPU and slot can do.") {
            $0.gpu.pcieLimit.map { Double($0.width) }
        },
        samples(
            "jhub_gpu_nvlink_errors_total", "Over all links, since the driver was loaded.", as: .counter, by: "kind"
        ) {
            [
                "crc_flit": $0.nvlinkErrors?.crcFlit, "crc_data": $0.nvlinkErrors?.crcData,
                "crc": $0.nvlinkErrors?.crc, "replay": $0.nvlinkErrors?.replay,
                "recovery": $0.nvlinkErrors?.recovery, "received": $0.nvlinkErrors?.received,
            ]
        },
        gpus("jhub_gpu_nvlinks", "How many links the GPU has, by whether they are up.") { gpu in
            guard gpu.isVisible, !gpu.gpu.nvlinks.isEmpty else { return [] }
            let up = gpu.gpu.nvlinks.count(where: \.isActive)
            return [([("state", "up")], Double(up)), ([("state", "down")], Double(gpu.gpu.nvlinks.count - up))]
        },
        sample(
            "jhub_gpu_fabric_state", "With the Fabric Manager: 0 not supported, 1 not started, 2 in progress, 3 done."
        ) {
            $0.fabric?.state.rawValue
        },
        sample("jhub_gpu_failed_calls", "How many calls of the driver failed for the last sample.") {
            $0.failures.count
        },
    ]

    static func states(_ verdict: Verdict) -> [([(String, String)], Double)] {
        Verdict.State.allCases.map { ([("state", $0.rawValue)], verdict.state == $0 ? 1 : 0) }
    }

    static func findings(_ verdict: Verdict) -> [([(String, String)], Double)] {
        var seen: Set<String> = []
        return verdict.findings.compactMap { finding in
            let labels = [
                ("rule", finding.rule.rawValue), ("state", finding.state.rawValue), ("action", finding.action.rawValue),
            ]
            return seen.insert(labels.map(\.1).joined(separator: " ")).inserted ? (labels, 1) : nil
        }
    }

    /// Those that ask for somebody, from 0 on: `increase()` sees nothing of a series that begins at 1.
    private static let graveXIDs = [48, 62, 64, 74, 79, 95, 119, 120]

    private static func xids(_ report: Report) -> [Value] {
        var counts: [PCIAddress?: [Int: Int]] = [:]
        for gpu in report.snapshot.gpus {
            counts[gpu.gpu.bus] = Dictionary(uniqueKeysWithValues: graveXIDs.map { ($0, 0) })
        }
        for count in report.snapshot.xidCounts { counts[count.bus, default: [:]][count.code] = count.count }
        var values: [Value] = []
        for (bus, counts) in counts.sorted(by: { ($0.key?.description ?? "") < ($1.key?.description ?? "") }) {
            let gpu = report.snapshot.gpus.first { $0.gpu.bus == bus }
            let own = gpu.map { labels(of: $0) } ?? [Label(name: "bus", value: bus?.description ?? "")]
            for (code, count) in counts.sorted(by: { $0.key < $1.key }) {
                let action = XIDEntry.catalogue[code]?.action.rawValue ?? ""
                let labels = own + [Label(name: "xid", value: "\(code)"), Label(name: "action", value: action)]
                values.append(Value(labels: labels, number: Double(count)))
            }
        }
        return values
    }
}
