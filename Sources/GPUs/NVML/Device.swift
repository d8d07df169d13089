import CNVML

/// One GPU, or one MIG device, as NVML hands it out. It holds as long as its session.
struct Device {
    let session: NVML
    let handle: nvmlDevice_t
    let bus: PCIAddress
    let index: Int

    init(_ session: NVML, _ handle: nvmlDevice_t, index: Int) throws(NVMLError) {
        let place = try Self.place(of: handle, session)
        (self.session, self.handle, self.index, bus) = (session, handle, index, place)
    }

    /// A part of that GPU.
    init(_ whole: Device, part handle: nvmlDevice_t, index: Int) {
        (session, self.handle, self.index, bus) = (whole.session, handle, index, whole.bus)
    }

    static func place(of handle: nvmlDevice_t, _ session: NVML) throws(NVMLError) -> PCIAddress {
        let names = ("nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2")
        var info = nvmlPciInfo_t()
        try session.call(names.0, names.1, as: Fill.self) { $0(handle, &info) }
        return PCIAddress(info)
    }
}

extension Device {
    /// Functions with one result, of whatever type: C cares for its address alone.
    typealias Fill = @convention(c) (nvmlDevice_t, UnsafeMutableRawPointer) -> nvmlReturn_t
    typealias FillAt = @convention(c) (nvmlDevice_t, UInt32, UnsafeMutableRawPointer) -> nvmlReturn_t
    typealias FillTwo =
        @convention(c) (nvmlDevice_t, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> nvmlReturn_t
    typealias Text = @convention(c) (nvmlDevice_t, UnsafeMutablePointer<CChar>, UInt32) -> nvmlReturn_t

    func fill<Value: BitwiseCopyable>(
        _ name: String, or older: String? = nil, _ blank: Value
    ) throws(NVMLError) -> Value {
        var value = blank
        try session.call(name, older ?? name, as: Fill.self, on: bus) { function in
            withUnsafeMutablePointer(to: &value) { function(handle, $0) }
        }
        return value
    }

    func fill<Value: BitwiseCopyable>(_ name: String, at place: UInt32, _ blank: Value) throws(NVMLError) -> Value {
        var value = blank
        try session.call(name, as: FillAt.self, on: bus) { function in
            withUnsafeMutablePointer(to: &value) { function(handle, place, $0) }
        }
        return value
    }

    func number(_ name: String) throws(NVMLError) -> UInt32 { try fill(name, UInt32(0)) }

    func two(_ name: String) throws(NVMLError) -> (UInt32, UInt32) {
        var (one, other): (UInt32, UInt32) = (0, 0)
        try session.call(name, as: FillTwo.self, on: bus) { $0(handle, &one, &other) }
        return (one, other)
    }

    func text(_ name: String) throws(NVMLError) -> String {
        var bytes = [CChar](repeating: 0, count: 96)
        let length = UInt32(bytes.count)
        try session.call(name, as: Text.self, on: bus) { $0(handle, &bytes, length) }
        return String(terminated: bytes)
    }
}
