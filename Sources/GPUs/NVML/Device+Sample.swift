import CNVML

extension Device {
    /// What the GPU does now. Throws only what says that it, or the driver, is gone.
    func sample(of gpu: GPU) throws(NVMLError) -> Sample {
        var inquiry = Inquiry()
        var sample = Sample(taken: .now)
        let utilization = try inquiry.answer(try fill("nvmlDeviceGetUtilizationRates", nvmlUtilization_t()))
        (sample.utilization, sample.memoryUtilization) = (utilization?.gpu, utilization?.memory)
        sample.encoder = try inquiry.answer(try two("nvmlDeviceGetEncoderUtilization"))?.0
        sample.decoder = try inquiry.answer(try two("nvmlDeviceGetDecoderUtilization"))?.0
        sample.memory = try memory(&inquiry)
        sample.smClock = try inquiry.answer(try fill("nvmlDeviceGetClockInfo", at: clockSM, UInt32(0)))
        sample.memoryClock = try inquiry.answer(try fill("nvmlDeviceGetClockInfo", at: clockMemory, UInt32(0)))
        sample.temperature = try inquiry.answer(try fill("nvmlDeviceGetTemperature", at: sensorGPU, UInt32(0)))
        sample.power = try inquiry.answer(try number("nvmlDeviceGetPowerUsage"))
        sample.enforcedPowerLimit = try inquiry.answer(try number("nvmlDeviceGetEnforcedPowerLimit"))
        sample.energy = try inquiry.answer(try fill("nvmlDeviceGetTotalEnergyConsumption", UInt64(0)))
        sample.clockReasons = try inquiry.answer(
            try fill(
                "nvmlDeviceGetCurrentClocksEventReasons", or: "nvmlDeviceGetCurrentClocksThrottleReasons", UInt64(0))
        ).map(Sample.ClockReasons.init)
        sample.pcie = try pcieLink("Curr", &inquiry)
        sample.pcieReplays = try inquiry.answer(try number("nvmlDeviceGetPcieReplayCounter")).map(UInt64.init)
        sample.ecc = try ecc(&inquiry)
        sample.remappedRows = try inquiry.answer(try remappedRows())
        sample.fabric = try fabric(&inquiry)
        let links = gpu.nvlinks.filter(\.isActive).map { UInt32($0.link) }
        let fields = try inquiry.answer(try fields(Self.fields)) ?? [:]
        let linkFields = links.isEmpty ? [:] : try inquiry.answer(try self.fields(Self.linkFields, of: links)) ?? [:]
        fill(&sample, with: fields.merging(linkFields) { field, _ in field })
        sample.processes = try processes(&inquiry)
        if gpu.mig?.isOn == true {
            sample.mig = try uses(&inquiry)
        }
        sample.failures = inquiry.failures
        return sample
    }

    func memory(_ inquiry: inout Inquiry) throws(NVMLError) -> Sample.Memory? {
        var blank = nvmlMemory_v2_t()
        blank.version = nvmlMemory_v2
        var unheard = Inquiry()
        if session.has("nvmlDeviceGetMemoryInfo_v2"),
            let now = try unheard.answer(try fill("nvmlDeviceGetMemoryInfo_v2", blank))
        {
            return Sample.Memory(total: now.total, used: now.used, free: now.free, reserved: now.reserved)
        }
        return try inquiry.answer(try fill("nvmlDeviceGetMemoryInfo", nvmlMemory_t())).map {
            Sample.Memory(total: $0.total, used: $0.used, free: $0.free)
        }
    }

    private func uses(_ inquiry: inout Inquiry) throws(NVMLError) -> [Sample.MIGUse] {
        var uses: [Sample.MIGUse] = []
        for part in try parts(&inquiry) {
            guard let uuid = try inquiry.answer(try part.text("nvmlDeviceGetUUID")) else { continue }
            uses.append(Sample.MIGUse(uuid: uuid, memory: try part.memory(&inquiry)))
        }
        return uses
    }

    private func ecc(_ inquiry: inout Inquiry) throws(NVMLError) -> Sample.ECC? {
        // Kinds: 0 corrected, 1 uncorrected. Counters: 0 since the driver was loaded, 1 ever.
        let counts = Sample.ECC(
            corrected: try inquiry.answer(try errors(0, 0)), uncorrected: try inquiry.answer(try errors(1, 0)),
            correctedEver: try inquiry.answer(try errors(0, 1)), uncorrectedEver: try inquiry.answer(try errors(1, 1)))
        return counts == Sample.ECC() ? nil : counts
    }

    private func errors(_ kind: UInt32, _ counter: UInt32) throws(NVMLError) -> UInt64 {
        typealias Errors =
            @convention(c) (nvmlDevice_t, UInt32, UInt32, UnsafeMutablePointer<UInt64>) -> nvmlReturn_t
        var count: UInt64 = 0
        try session.call("nvmlDeviceGetTotalEccErrors", as: Errors.self, on: bus) { $0(handle, kind, counter, &count) }
        return count
    }

    private func remappedRows() throws(NVMLError) -> Sample.RemappedRows {
        typealias Rows =
            @convention(c) (
                nvmlDevice_t, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>,
                UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>
            ) -> nvmlReturn_t
        var (corrected, uncorrected, pending, failed): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        try session.call("nvmlDeviceGetRemappedRows", as: Rows.self, on: bus) {
            $0(handle, &corrected, &uncorrected, &pending, &failed)
        }
        return Sample.RemappedRows(
            corrected: corrected, uncorrected: uncorrected, isPending: pending != 0, hasFailed: failed != 0)
    }

    private func fabric(_ inquiry: inout Inquiry) throws(NVMLError) -> Sample.Fabric? {
        var blank = nvmlGpuFabricInfo_v2_t()
        blank.version = nvmlGpuFabricInfo_v2
        if session.has("nvmlDeviceGetGpuFabricInfoV") {
            let now = try inquiry.answer(try fill("nvmlDeviceGetGpuFabricInfoV", blank))
            return now.flatMap { Sample.Fabric($0.state, $0.status, $0.healthMask) }
        }
        return try inquiry.answer(try fill("nvmlDeviceGetGpuFabricInfo", nvmlGpuFabricInfo_t())).flatMap {
            Sample.Fabric($0.state, $0.status, nil)
        }
    }
}

/// NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU.
private let (clockSM, clockMemory, sensorGPU): (UInt32, UInt32, UInt32) = (1, 2, 0)

extension Sample.Fabric {
    fileprivate init?(_ state: UInt8, _ status: Int32, _ health: UInt32?) {
        guard let state = State(rawValue: UInt32(state)), state != .notSupported else { return nil }
        self.init(state: state, status: status, health: health)
    }
}
