import GPUs

/// The node: its driver, its users, the machine.
extension Metric {
    static let ofDriver: [Metric] = [
        node("jhub_node_gpus", "How many GPUs PCI shows, or showed since the agent started.") {
            Double($0.snapshot.gpus.count)
        },
        node("jhub_node_gpus_visible", "How many of them the driver shows.") {
            Double($0.snapshot.gpus.count(where: \.isVisible))
        },
        nodes("jhub_node_verdict", "How the node's GPUs and their driver stand: 1 for the state that they are in.") {
            states($0.snapshot.node)
        },
        nodes("jhub_node_finding", "What speaks against the node; 1 for each.") { findings($0.snapshot.node) },
        nodes("jhub_node_sxid_errors_total", "Faults of NVSwitches since the machine started.", as: .counter) {
            $0.snapshot.switchFaults.map { fault in
                let severity = fault.isFatal ? "fatal" : "non-fatal"
                return (
                    [("bus", fault.bus.description), ("sxid", "\(fault.code)"), ("severity", severity)],
                    Double(fault.count)
                )
            }
        },
        nodes("jhub_driver_state", "How it stands with NVML: 1 for the state that it is in.") { report in
            [([("state", report.snapshot.driver.state.rawValue)], 1)]
        },
        nodes("jhub_driver_info", "Versions; always 1.") { report in
            let driver = report.snapshot.driver
            let facts = [
                ("version", driver.version), ("module", driver.moduleVersion), ("cuda", driver.cuda),
                ("library", driver.libraryVersion),
            ]
            return [(facts.compactMap { name, value in value.map { (name, $0) } }, 1)]
        },
        node("jhub_driver_openings_total", "How often NVML was opened since the agent started.", as: .counter) {
            Double($0.snapshot.driver.openings)
        },
        node(
            "jhub_driver_rounds_total", "How often all GPUs were asked to the end since the agent started.",
            as: .counter
        ) {
            Double($0.snapshot.driver.rounds)
        },
        node("jhub_driver_call_hung", "Whether a call of NVML has not come back in time.") {
            $0.snapshot.driver.hung == nil ? 0 : 1
        },
        node("jhub_driver_last_round_timestamp_seconds", "When all GPUs were last asked to the end.") {
            $0.snapshot.driver.lastRound?.time
        },
        node("jhub_driver_round_duration_seconds", "How long that took.") { $0.snapshot.driver.roundDuration },
        Metric(
            name: "jhub_gpu_holder_memory_bytes", kind: .gauge,
            help: "Memory that a pod's processes hold on a GPU, and whose they are.", values: holders),
    ]

    static let ofMachine: [Metric] = [
        nodes("jhub_node_cpu_seconds_total", "Time of all processors since boot, by mode.", as: .counter) { report in
            (report.machine.cpuSeconds ?? [:]).sorted { $0.key < $1.key }.map { ([("mode", $0.key)], $0.value) }
        },
        node("jhub_node_processors", "How many processors the machine has.") { $0.machine.processors.map(Double.init) },
        node("jhub_node_load1", "Tasks that wanted to run, on average over a minute.") { $0.machine.load1 },
        node("jhub_node_memory_size_bytes", "All memory.") { $0.machine.memory.map { Double($0.total) } },
        node("jhub_node_memory_available_bytes", "Memory that programs could still take.") {
            $0.machine.memory.map { Double($0.available) }
        },
        node("jhub_node_memory_eviction_bytes", "Below so much available memory the kubelet puts pods out.") { report in
            guard let memory = report.machine.memory else { return nil }
            return report.machine.kubelet?.eviction["memory.available"]?.amount(of: memory.total)
        },
        disks("jhub_node_disk_size_bytes", "Of a file system that the kubelet watches.") { disk, _ in Double(disk.size)
        },
        disks("jhub_node_disk_available_bytes", "What is free on it.") { disk, _ in Double(disk.available) },
        disks("jhub_node_disk_eviction_bytes", "Below so much the kubelet puts pods out.") { disk, kubelet in
            kubelet?.eviction["\(disk.name).available"]?.amount(of: disk.size)
        },
        disks("jhub_node_disk_image_collection_bytes", "Below so much the kubelet removes images that nobody uses.") {
            guard $0.name == "imagefs", let line = $1?.imageCollection else { return nil }
            return Double($0.size) * (1 - line)
        },
        disks("jhub_node_disk_inodes", "Inodes of it.") { disk, _ in Double(disk.inodes) },
        disks("jhub_node_disk_free_inodes", "Inodes that are free.") { disk, _ in Double(disk.freeInodes) },
        node("jhub_node_kubelet_up", "Whether the kubelet says that it is well.") { number($0.machine.isKubeletAlive) },
        node("jhub_node_containerd_up", "Whether containerd takes connections.") {
            number($0.machine.isContainerdAlive)
        },
        node("jhub_node_clock_synchronised", "Whether the clock is kept by another.") {
            number($0.machine.clock?.isSynchronised)
        },
        node("jhub_node_clock_offset_seconds", "What is still to be corrected.") { $0.machine.clock?.offset },
        node("jhub_node_clock_most_error_seconds", "The most that the clock may be wrong.") {
            $0.machine.clock?.mostError
        },
    ]

    private static func nodes(
        _ name: String, _ help: String, as kind: Kind = .gauge,
        _ values: @escaping @Sendable (Report) -> [([(String, String)], Double)]
    ) -> Metric {
        Metric(name: name, kind: kind, help: help) { report in
            values(report).map { labels, number in
                Value(labels: labels.map { Label(name: $0, value: $1) }, number: number)
            }
        }
    }

    private static func disks(
        _ name: String, _ help: String, _ value: @escaping @Sendable (NodeDisk, KubeletLines?) -> Double?
    ) -> Metric {
        nodes(name, help) { report in
            report.machine.disks.compactMap { disk in
                value(disk, report.machine.kubelet).map { ([("name", disk.name), ("path", disk.path)], $0) }
            }
        }
    }

    private static func number(_ claim: Bool?) -> Double? { claim.map { $0 ? 1 : 0 } }

    /// As many pods as that have a series of their own; the rest is one, so that no flood of pods fills Prometheus.
    static let mostHolders = 256

    private static func holders(_ report: Report) -> [Value] {
        var (values, rest): ([Value], Double) = ([], 0)
        for gpu in report.snapshot.gpus {
            for holder in report.holders(of: gpu) {
                guard let memory = holder.memory else { continue }
                guard values.count < mostHolders else {
                    rest += Double(memory)
                    continue
                }
                let facts = [
                    ("namespace", holder.owner?.namespace), ("pod", holder.owner?.pod),
                    ("user", holder.owner?.user), ("server", holder.owner?.server),
                ]
                let labels = facts.compactMap { name, value in value.map { Label(name: name, value: $0) } }
                values.append(Value(labels: Self.labels(of: gpu) + labels, number: Double(memory)))
            }
        }
        if rest > 0 { values.append(Value(labels: [Label(name: "pod", value: "(others)")], number: rest)) }
        return values
    }
}
