import CNVML

extension Device {
    /// All that NVML gives by number only; one call for all of them.
    static let fields = [
        NVML_FI_DEV_RETIRED_SBE, NVML_FI_DEV_RETIRED_DBE, NVML_FI_DEV_RETIRED_PENDING,
        NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL, NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL,
        NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL, NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL,
        NVML_FI_DEV_PERF_POLICY_POWER, NVML_FI_DEV_PERF_POLICY_THERMAL, NVML_FI_DEV_MEMORY_TEMP,
        NVML_FI_DEV_GET_GPU_RECOVERY_ACTION,
    ].map(UInt32.init)

    /// What links count, since Hopper one by one; the last two since NVLink 5.
    static let linkFields = [
        NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY, NVML_FI_DEV_NVLINK_ERROR_DL_RECOVERY, NVML_FI_DEV_NVLINK_ERROR_DL_CRC,
        NVML_FI_DEV_NVLINK_COUNT_RCV_ERRORS, NVML_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_EVENTS,
    ].map(UInt32.init)

    /// By number, summed up over the scopes; those that the GPU does not have are not in there.
    func fields(_ numbers: [UInt32], of scopes: [UInt32] = [0]) throws(NVMLError) -> [UInt32: UInt64] {
        typealias Fields = @convention(c) (nvmlDevice_t, Int32, UnsafeMutablePointer<nvmlFieldValue_t>) -> nvmlReturn_t
        var values = scopes.flatMap { scope in
            numbers.map { number in
                var value = nvmlFieldValue_t()
                (value.fieldId, value.scopeId) = (number, scope)
                return value
            }
        }
        let count = Int32(values.count)
        try session.call("nvmlDeviceGetFieldValues", as: Fields.self, on: bus) { $0(handle, count, &values) }
        var found: [UInt32: UInt64] = [:]
        for value in values where value.nvmlReturn == 0 {
            // A driver may give any number, and no sum of them may end the program.
            if let number = value.number { found[value.fieldId, default: 0] &+= number }
        }
        return found
    }

    func fill(_ sample: inout Sample, with fields: [UInt32: UInt64]) {
        func field(_ number: Int) -> UInt64? { fields[UInt32(number)] }
        let pages = Sample.RetiredPages(
            singleBit: field(NVML_FI_DEV_RETIRED_SBE), doubleBit: field(NVML_FI_DEV_RETIRED_DBE),
            isPending: field(NVML_FI_DEV_RETIRED_PENDING).map { $0 != 0 })
        let links = Sample.NVLinkErrors(
            crcFlit: field(NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL),
            crcData: field(NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL),
            crc: field(NVML_FI_DEV_NVLINK_ERROR_DL_CRC),
            replay: field(NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL) ?? field(NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY),
            recovery: field(NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL)
                ?? field(NVML_FI_DEV_NVLINK_ERROR_DL_RECOVERY)
                ?? field(NVML_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_EVENTS),
            received: field(NVML_FI_DEV_NVLINK_COUNT_RCV_ERRORS))
        sample.retiredPages = pages == Sample.RetiredPages() ? nil : pages
        sample.nvlinkErrors = links == Sample.NVLinkErrors() ? nil : links
        sample.powerViolation = field(NVML_FI_DEV_PERF_POLICY_POWER)
        sample.thermalViolation = field(NVML_FI_DEV_PERF_POLICY_THERMAL)
        sample.memoryTemperature = field(NVML_FI_DEV_MEMORY_TEMP).flatMap(UInt32.init(exactly:))
        sample.recovery = field(NVML_FI_DEV_GET_GPU_RECOVERY_ACTION)
            .flatMap(UInt32.init(exactly:)).flatMap(Sample.RecoveryAction.init)
    }
}

extension nvmlFieldValue_t {
    /// Nil for what is no whole number from 0 on.
    fileprivate var number: UInt64? {
        switch Int(valueType) {
        case NVML_VALUE_TYPE_DOUBLE: UInt64(exactly: value.dVal)
        case NVML_VALUE_TYPE_UNSIGNED_INT: UInt64(value.uiVal)
        case NVML_VALUE_TYPE_UNSIGNED_LONG, NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: value.ullVal
        case NVML_VALUE_TYPE_SIGNED_LONG_LONG: UInt64(exactly: value.sllVal)
        case NVML_VALUE_TYPE_SIGNED_INT: UInt64(exactly: value.siVal)
        case NVML_VALUE_TYPE_UNSIGNED_SHORT: UInt64(value.usVal)
        default: nil
        }
    }
}
