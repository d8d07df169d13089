/// Puts questions to a GPU and keeps what went wrong. What the GPU cannot answer is nil; what says
/// that the GPU or the whole driver is gone is thrown, for then no further question makes sense.
struct Inquiry {
    private(set) var failures: [NVMLError] = []

    mutating func answer<Value>(_ question: @autoclosure () throws(NVMLError) -> Value) throws(NVMLError) -> Value? {
        do throws(NVMLError) {
            return try question()
        } catch {
            if error.code.endsTheSession || error.code.endsTheGPU { throw error }
            if !error.code.isJustUnable { failures.append(error) }
            return nil
        }
    }
}

extension NVMLError.Code {
    /// The driver was unloaded, or exchanged under the library's feet: NVML has to be opened anew.
    var endsTheSession: Bool { self == .uninitialized || self == .driverNotLoaded || self == .versionMismatch }

    /// This GPU answers nothing more.
    var endsTheGPU: Bool { self == .gpuIsLost || self == .resetRequired }

    /// No fault, but a GPU, a library or a mode (MIG) that does not have it.
    var isJustUnable: Bool { self == .notSupported || self == .functionNotFound }
}
