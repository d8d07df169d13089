import CNVML

extension Device {
    /// Who has something on this GPU; nil if the driver tells of no kind of processes.
    func processes(_ inquiry: inout Inquiry) throws(NVMLError) -> [GPUProcess]? {
        var all: [GPUProcess]?
        for (kind, name) in [(GPUProcess.Kind.compute, "Compute"), (.mps, "MPSCompute"), (.graphics, "Graphics")] {
            guard let found = try inquiry.answer(try processes(kind, "nvmlDeviceGet\(name)RunningProcesses")) else {
                continue
            }
            // A process that computes and draws is in both lists; once is enough.
            let known = Set((all ?? []).map(\.place))
            all = (all ?? []) + found.filter { !known.contains($0.place) }
        }
        return all?.sorted { ($0.pid, $0.gpuInstance ?? 0) < ($1.pid, $1.gpuInstance ?? 0) }
    }

    private func processes(_ kind: GPUProcess.Kind, _ name: String) throws(NVMLError) -> [GPUProcess] {
        if session.has("\(name)_v3") || session.has("\(name)_v2") {
            return try list("\(name)_v3", or: "\(name)_v2", nvmlProcessInfo_v2_t()).map { GPUProcess($0, kind) }
        }
        return try list(name, or: name, nvmlProcessInfo_v1_t()).map { process in
            GPUProcess(pid: Int32(bitPattern: process.pid), kind: kind, memory: known(process.usedGpuMemory))
        }
    }

    /// NVML fills what room it is given, or says how much it needs.
    private func list<Item: BitwiseCopyable>(
        _ name: String, or older: String, _ blank: Item
    ) throws(NVMLError) -> [Item] {
        typealias List =
            @convention(c) (nvmlDevice_t, UnsafeMutablePointer<UInt32>, UnsafeMutableRawPointer?) -> nvmlReturn_t
        var room = 64
        while true {
            var items = [Item](repeating: blank, count: room)
            var count = UInt32(room)
            do throws(NVMLError) {
                try session.call(name, older, as: List.self, on: bus) { list in
                    items.withUnsafeMutableBytes { list(handle, &count, $0.baseAddress) }
                }
                return Array(items.prefix(Int(count)))
            } catch {
                // New ones may come meanwhile, so a bit more than it asks for.
                guard error.code == .insufficientSize, count >= room, count < 1 << 16 else { throw error }
                room = Int(count) + 64
            }
        }
    }
}

extension GPUProcess {
    fileprivate init(_ process: nvmlProcessInfo_v2_t, _ kind: Kind) {
        self.init(
            pid: Int32(bitPattern: process.pid), kind: kind, memory: known(process.usedGpuMemory),
            gpuInstance: known(process.gpuInstanceId), computeInstance: known(process.computeInstanceId))
    }

    fileprivate struct Place: Hashable {
        var pid: Int32
        var gpuInstance, computeInstance: UInt32?
    }

    fileprivate var place: Place { Place(pid: pid, gpuInstance: gpuInstance, computeInstance: computeInstance) }
}

/// NVML_VALUE_NOT_AVAILABLE is all bits set.
private func known<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) -> Number? {
    number == .max ? nil : number
}
