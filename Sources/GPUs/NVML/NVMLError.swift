/// A call of NVML that did not succeed.
package struct NVMLError: Error, Hashable, Sendable, Codable {
    /// The function's name, as in `nvmlDeviceGetPowerUsage`.
    package var call: String
    package var code: Code

    package init(_ call: String, _ code: Code) {
        (self.call, self.code) = (call, code)
    }
}

extension NVMLError: CustomStringConvertible {
    package var description: String { "\(call) says: \(code)" }
}

extension NVMLError {
    /// `nvmlReturn_t`. The words are ours: NVML's own are of no use where there is no library to ask.
    package struct Code: RawRepresentable, Hashable, Sendable, Codable {
        package var rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }

        package static let uninitialized = Code(rawValue: 1)
        package static let notSupported = Code(rawValue: 3)
        package static let insufficientSize = Code(rawValue: 7)
        package static let insufficientPower = Code(rawValue: 8)
        package static let driverNotLoaded = Code(rawValue: 9)
        package static let timeout = Code(rawValue: 10)
        package static let interruptIssue = Code(rawValue: 11)
        package static let functionNotFound = Code(rawValue: 13)
        package static let corruptInfoROM = Code(rawValue: 14)
        package static let gpuIsLost = Code(rawValue: 15)
        package static let resetRequired = Code(rawValue: 16)
        package static let versionMismatch = Code(rawValue: 18)
    }
}

extension NVMLError.Code: CustomStringConvertible {
    package var description: String { "\(Self.words[rawValue] ?? "an error that is not known here") (\(rawValue))" }

    private static let words: [Int32: String] = [
        1: "the library is not initialised", 2: "an argument is wrong", 3: "this GPU cannot do that",
        4: "no permission", 6: "not found", 7: "the room given is too small",
        8: "the GPU's power cables are not attached", 9: "the kernel module is not loaded", 10: "time is up",
        11: "an interrupt of the GPU is amiss", 12: "the library was not found",
        13: "this library does not have the function", 14: "the GPU's infoROM is corrupt", 15: "the GPU is lost",
        16: "the GPU has to be reset", 17: "the operating system refused",
        18: "kernel module and library are of different versions", 19: "the GPU is in use", 20: "out of memory",
        21: "no data", 23: "out of resources", 25: "the argument's version is not known", 27: "not ready",
        28: "no GPU was found", 29: "the state does not allow it", 999: "an unknown error",
    ]
}
