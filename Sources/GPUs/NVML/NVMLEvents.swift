import CNVML

/// NVML's own report of XIDs. It knows only what comes after it was opened, and no times.
final class NVMLEvents {
    private let session: NVML
    private let set: nvmlEventSet_t

    /// Nil where the library has no events, or none of these GPUs does.
    init?(_ session: NVML, for devices: [Device]) {
        typealias Create = @convention(c) (UnsafeMutablePointer<nvmlEventSet_t?>) -> nvmlReturn_t
        typealias Register = @convention(c) (nvmlDevice_t, UInt64, nvmlEventSet_t) -> nvmlReturn_t
        var created: nvmlEventSet_t?
        try? session.call("nvmlEventSetCreate", as: Create.self) { $0(&created) }
        guard let set = created else { return nil }
        (self.session, self.set) = (session, set)
        let able = devices.filter { device in
            let registered: Void? = try? session.call("nvmlDeviceRegisterEvents", as: Register.self, on: device.bus) {
                $0(device.handle, nvmlEventTypeXidCriticalError, set)
            }
            return registered != nil
        }
        if able.isEmpty { return nil }
    }

    deinit {
        typealias Free = @convention(c) (nvmlEventSet_t) -> nvmlReturn_t
        try? session.call("nvmlEventSetFree", as: Free.self) { $0(set) }
    }

    /// The next one, waited for so long (in milliseconds) and no longer; nil: there was none.
    func next(within limit: UInt32) throws(NVMLError) -> XIDEvent? {
        typealias Wait = @convention(c) (nvmlEventSet_t, UnsafeMutablePointer<nvmlEventData_t>, UInt32) -> nvmlReturn_t
        var data = nvmlEventData_t()
        do throws(NVMLError) {
            try session.call("nvmlEventSetWait_v2", "nvmlEventSetWait", as: Wait.self) { $0(set, &data, limit) }
        } catch {
            guard error.code == .timeout else { throw error }
            return nil
        }
        guard data.eventType == nvmlEventTypeXidCriticalError else { return nil }
        let bus = data.device.flatMap { try? Device.place(of: $0, session) }
        return XIDEvent(source: .nvml, moment: .now, code: Int(clamping: data.eventData), bus: bus)
    }
}
