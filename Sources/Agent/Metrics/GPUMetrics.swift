import GPUs

/// What each GPU is and does, in base units: bytes, hertz, watts, joules, seconds, degrees Celsius, ratios from 0 to 1.
extension Metric {
    static let ofGPUs: [Metric] = [
        gpus("jhub_gpu_up", "Whether the driver shows the GPU; 0: PCI has it, or had it, and the driver has lost it.") {
            [([], $0.isVisible ? 1 : 0)]
        },
        gpus("jhub_gpu_info", "What the GPU is; always 1.") { [(facts(of: $0.gpu), 1)] },
        sample("jhub_gpu_utilization_ratio", "Share of the last moment in which a kernel ran.", times: 0.01) {
            $0.utilization
        },
        sample("jhub_gpu_memory_utilization_ratio", "Share of the last moment in which memory was used.", times: 0.01) {
            $0.memoryUtilization
        },
        sample("jhub_gpu_encoder_utilization_ratio", "Share of the last moment in which it encoded video.", times: 0.01)
        {
            $0.encoder
        },
        sample("jhub_gpu_decoder_utilization_ratio", "Share of the last moment in which it decoded video.", times: 0.01)
        {
            $0.decoder
        },
        sample("jhub_gpu_memory_size_bytes", "All of the GPU's memory.") { $0.memory?.total },
        sample("jhub_gpu_memory_used_bytes", "Memory that is in use.") { $0.memory?.used },
        sample("jhub_gpu_memory_free_bytes", "Memory that is free.") { $0.memory?.free },
        sample("jhub_gpu_memory_reserved_bytes", "Memory that driver and firmware keep.") { $0.memory?.reserved },
        sample("jhub_gpu_sm_clock_hertz", "Clock of the processors.", times: 1e6) { $0.smClock },
        sample("jhub_gpu_memory_clock_hertz", "Clock of the memory.", times: 1e6) { $0.memoryClock },
        sample("jhub_gpu_temperature_celsius", "Of the chip.") { $0.temperature },
        sample("jhub_gpu_memory_temperature_celsius", "Of the memory.") { $0.memoryTemperature },
        sample("jhub_gpu_power_watts", "What it draws now.", times: 1e-3) { $0.power },
        sample("jhub_gpu_power_limit_watts", "What it may draw.", times: 1e-3) { $0.enforcedPowerLimit },
        sample("jhub_gpu_energy_joules_total", "Drawn since the driver was loaded.", as: .counter, times: 1e-3) {
            $0.energy
        },
        gpus("jhub_gpu_clock_limited", "Whether its clocks are held down now, by reason.") { gpu in
            guard gpu.isVisible, let reasons = gpu.sample?.clockReasons else { return [] }
            return clockReasons.map { name, reason in ([("reason", name)], reasons.contains(reason) ? 1 : 0) }
        },
        samples(
            "jhub_gpu_clock_limited_seconds_total", "How long clocks were held down since the driver was loaded.",
            as: .counter, times: 1e-9, by: "reason"
        ) { ["power": $0.powerViolation, "thermal": $0.thermalViolation] },
        gpu("jhub_gpu_idle_seconds", "For how long memory has been held and nothing computed; 0: it computes.") { gpu in
            guard let sample = gpu.sample, sample.utilization != nil else { return nil }
            return gpu.idle.map { sample.taken.seconds(since: $0.since) } ?? 0
        },
        gpu("jhub_gpu_processes", "How many processes have something on it.") { gpu in
            gpu.sample?.processes.map { Double($0.count) }
        },
        gpus("jhub_gpu_mig_memory_used_bytes", "Memory in use on a part of a GPU.") { gpu in
            guard gpu.isVisible else { return [] }
            return (gpu.sample?.mig ?? []).compactMap { use in
                let part = gpu.gpu.migDevices.first { $0.uuid == use.uuid }
                let labels = [("mig_uuid", use.uuid), ("profile", part?.profile ?? "")]
                return use.memory.map { (labels, Double($0.used)) }
            }
        },
    ]

    private static let clockReasons: KeyValuePairs<String, Sample.ClockReasons> = [
        "idle": .idle, "clocks_setting": .clocksSetting, "power_cap": .powerCap, "hw_slowdown": .hardwareSlowdown,
        "sync_boost": .syncBoost, "sw_thermal": .softwareThermal, "hw_thermal": .hardwareThermal,
        "power_brake": .powerBrake, "display_setting": .displaySetting,
    ]

    private static func facts(of gpu: GPU) -> [(String, String)] {
        var facts: [(String, String?)] = [
            ("model", gpu.model), ("serial", gpu.serial), ("firmware", gpu.firmware),
            ("device", gpu.minor.map { "/dev/nvidia\($0)" }),
        ]
        for (name, mode) in [("ecc", gpu.ecc), ("mig", gpu.mig)] {
            facts.append((name, mode.map { $0.isOn ? "on" : "off" }))
        }
        facts.append(("persistence", gpu.isPersistent.map { $0 ? "on" : "off" }))
        return facts.compactMap { name, value in value.map { (name, $0) } }
    }
}
