import CNVML

/// An open session with the driver's own library. It belongs to one thread.
///
/// The library is opened at run time: a node without a driver has none, and the program must start there too.
final class NVML {
    /// Where it lies: the linker's places, then those of the GPU Operator's driver container and toolkit.
    static let usualPaths = [
        "libnvidia-ml.so.1", "/run/nvidia/driver/usr/lib64/libnvidia-ml.so.1",
        "/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
    ]

    private let library: DynamicLibrary
    private let watch: CallWatch
    /// Functions that were asked for and are not there, in none of their forms.
    private(set) var missing: Set<String> = []

    /// Opens the first of the libraries that can be opened.
    init(_ paths: [String], watch: CallWatch) throws(NVMLOpening) {
        self.watch = watch
        library = try Self.open(paths)
        do throws(NVMLError) {
            try call("nvmlInit_v2", "nvmlInit", as: Plain.self) { $0() }
        } catch {
            throw .refused(error, file: library.path)
        }
    }

    /// Where the linker found the library.
    var file: String { library.file(with: "nvmlInit_v2") ?? library.path }

    deinit { try? call("nvmlShutdown", as: Plain.self) { $0() } }

    private static func open(_ paths: [String]) throws(NVMLOpening) -> DynamicLibrary {
        var reasons: [String] = []
        for path in paths {
            do throws(LibraryFault) {
                return try DynamicLibrary(path)
            } catch {
                reasons.append(error.reason)
            }
        }
        throw .noLibrary(reason: reasons.first ?? "no path was given")
    }

    func has(_ name: String) -> Bool { library.function(name, as: Plain.self) != nil }

    /// Calls the first of the functions that the library has; the newest stands first.
    func call<Function>(
        _ names: String..., as type: Function.Type, on bus: PCIAddress? = nil, _ body: (Function) -> nvmlReturn_t
    ) throws(NVMLError) {
        for name in names {
            guard let function = library.function(name, as: type) else { continue }
            let code = watch.watching(name, bus) { body(function) }
            guard code == 0 else { throw NVMLError(name, .init(rawValue: code)) }
            return
        }
        missing.insert(names[0])
        throw NVMLError(names[0], .functionNotFound)
    }
}

extension NVML {
    typealias Plain = @convention(c) () -> nvmlReturn_t
    typealias Text = @convention(c) (UnsafeMutablePointer<CChar>, UInt32) -> nvmlReturn_t
    typealias Number = @convention(c) (UnsafeMutablePointer<UInt32>) -> nvmlReturn_t
    typealias DeviceAt = @convention(c) (UInt32, UnsafeMutablePointer<nvmlDevice_t?>) -> nvmlReturn_t

    /// What the library does not tell is nil.
    func text(_ name: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 96)
        let length = UInt32(bytes.count)
        guard (try? call(name, as: Text.self, { $0(&bytes, length) })) != nil else { return nil }
        return String(terminated: bytes)
    }

    /// The CUDA that the driver can serve; NVML says 12040 for 12.4.
    var cuda: String? {
        var version: UInt32 = 0
        let names = ("nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion")
        guard (try? call(names.0, names.1, as: Number.self, { $0(&version) })) != nil else { return nil }
        return "\(version / 1000).\(version % 1000 / 10)"
    }

    func count() throws(NVMLError) -> Int {
        var count: UInt32 = 0
        try call("nvmlDeviceGetCount_v2", "nvmlDeviceGetCount", as: Number.self) { $0(&count) }
        return Int(count)
    }

    func device(at index: Int) throws(NVMLError) -> Device {
        let name = "nvmlDeviceGetHandleByIndex_v2"
        var handle: nvmlDevice_t?
        try call(name, "nvmlDeviceGetHandleByIndex", as: DeviceAt.self) { $0(UInt32(index), &handle) }
        guard let handle else { throw NVMLError(name, .gpuIsLost) }
        return try Device(self, handle, index: index)
    }
}

extension String {
    /// What stands before the zero.
    init(terminated bytes: [CChar]) {
        self.init(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Why there is no session.
enum NVMLOpening: Error {
    case noLibrary(reason: String)
    case refused(NVMLError, file: String)
}
