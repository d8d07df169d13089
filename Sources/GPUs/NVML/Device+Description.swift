import CNVML

extension Device {
    /// What the GPU is. Throws only what says that it, or the driver, is gone.
    func description() throws(NVMLError) -> GPU {
        var inquiry = Inquiry()
        var gpu = GPU(bus: bus)
        gpu.index = index
        gpu.uuid = try inquiry.answer(try text("nvmlDeviceGetUUID"))
        gpu.minor = try inquiry.answer(try number("nvmlDeviceGetMinorNumber")).map(Int.init)
        gpu.model = try inquiry.answer(try text("nvmlDeviceGetName"))
        gpu.serial = try inquiry.answer(try text("nvmlDeviceGetSerial"))
        gpu.firmware = try inquiry.answer(try text("nvmlDeviceGetVbiosVersion"))
        gpu.memory = try memory(&inquiry)?.total
        gpu.power = try powerLimits(&inquiry)
        gpu.isPersistent = try inquiry.answer(try number("nvmlDeviceGetPersistenceMode")).map { $0 != 0 }
        gpu.ecc = try mode("nvmlDeviceGetEccMode", &inquiry)
        gpu.mig = try mode("nvmlDeviceGetMigMode", &inquiry)
        gpu.pcieLimit = try pcieLink("Max", &inquiry)
        gpu.nvlinks = try nvlinks(&inquiry)
        for part in try parts(&inquiry) {
            gpu.migDevices += try part.migDevice(&inquiry).map { [$0] } ?? []
        }
        return gpu
    }

    func pcieLink(_ which: String, _ inquiry: inout Inquiry) throws(NVMLError) -> GPU.PCIeLink? {
        guard let generation = try inquiry.answer(try number("nvmlDeviceGet\(which)PcieLinkGeneration")),
            let width = try inquiry.answer(try number("nvmlDeviceGet\(which)PcieLinkWidth"))
        else { return nil }
        return GPU.PCIeLink(generation: generation, width: width)
    }

    /// The MIG devices of this GPU; none without MIG.
    func parts(_ inquiry: inout Inquiry) throws(NVMLError) -> [Device] {
        guard try mode("nvmlDeviceGetMigMode", &inquiry)?.isOn == true,
            let count = try inquiry.answer(try number("nvmlDeviceGetMaxMigDeviceCount"))
        else { return [] }
        var parts: [Device] = []
        for place in 0..<count {
            // Where no MIG device has this number, NVML says "not found".
            var unheard = Inquiry()
            let handle = try unheard.answer(
                try fill("nvmlDeviceGetMigDeviceHandleByIndex", at: place, nvmlDevice_t?.none))
            if let handle = handle ?? nil { parts.append(Device(self, part: handle, index: Int(place))) }
        }
        return parts
    }

    private func mode(_ name: String, _ inquiry: inout Inquiry) throws(NVMLError) -> GPU.Mode? {
        try inquiry.answer(try two(name)).map { GPU.Mode(isOn: $0.0 != 0, willBeOn: $0.1 != 0) }
    }

    private func powerLimits(_ inquiry: inout Inquiry) throws(NVMLError) -> GPU.PowerLimits? {
        let bounds = try inquiry.answer(try two("nvmlDeviceGetPowerManagementLimitConstraints"))
        let limits = GPU.PowerLimits(
            limit: try inquiry.answer(try number("nvmlDeviceGetPowerManagementLimit")),
            standard: try inquiry.answer(try number("nvmlDeviceGetPowerManagementDefaultLimit")),
            least: bounds?.0, most: bounds?.1)
        return limits == GPU.PowerLimits() ? nil : limits
    }

    private func nvlinks(_ inquiry: inout Inquiry) throws(NVMLError) -> [GPU.NVLink] {
        var links: [GPU.NVLink] = []
        // NVML_NVLINK_MAX_LINKS was 6 once and is 36 now; the first that is not there is the end.
        for link in 0..<UInt32(36) {
            var unheard = Inquiry()
            let state = try unheard.answer(try fill("nvmlDeviceGetNvLinkState", at: link, UInt32(0)))
            guard let state else { break }
            var found = GPU.NVLink(link: Int(link), isActive: state != 0)
            if found.isActive {
                found.version = try inquiry.answer(try fill("nvmlDeviceGetNvLinkVersion", at: link, UInt32(0)))
                let remote = try inquiry.answer(
                    try fill("nvmlDeviceGetNvLinkRemotePciInfo_v2", at: link, nvmlPciInfo_t()))
                found.remote = remote.map(PCIAddress.init)
            }
            links.append(found)
        }
        return links
    }

    private func migDevice(_ inquiry: inout Inquiry) throws(NVMLError) -> GPU.MIGDevice? {
        guard let uuid = try inquiry.answer(try text("nvmlDeviceGetUUID")) else { return nil }
        // "NVIDIA A100-SXM4-40GB MIG 1g.5gb"; old drivers give the whole GPU's name alone.
        let words = try inquiry.answer(try text("nvmlDeviceGetName"))?.split(separator: " ") ?? []
        let profile = words.dropLast().last == "MIG" ? words.last.map(String.init) : nil
        return GPU.MIGDevice(
            index: index, uuid: uuid,
            gpuInstance: try inquiry.answer(try number("nvmlDeviceGetGpuInstanceId")),
            computeInstance: try inquiry.answer(try number("nvmlDeviceGetComputeInstanceId")),
            profile: profile, memory: try memory(&inquiry)?.total)
    }
}

extension PCIAddress {
    init(_ info: nvmlPciInfo_t) {
        // NVML shows the GPU's first function.
        self.init(
            domain: info.domain, bus: UInt8(truncatingIfNeeded: info.bus),
            device: UInt8(truncatingIfNeeded: info.device))
    }
}
