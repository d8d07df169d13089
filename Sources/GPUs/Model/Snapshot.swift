/// All that is known at one moment. Taking one never waits for the driver.
package struct Snapshot: Hashable, Sendable, Codable {
    package var taken: Moment
    package var driver: DriverStatus
    /// By index; those that only PCI shows at the end, by bus.
    package var gpus: [GPUReport]
    package var node: Verdict
    /// The latest, the newest last, 256 at most.
    package var xids: [XIDEvent]
    /// By bus and code.
    package var xidCounts: [XIDCount]
    /// By switch, code and gravity.
    package var switchFaults: [SwitchFault] = []
    /// Why the kernel's log cannot be read; nil: it is read.
    package var kernelLogFault: String?

    /// Whether the other tells the same, if at another moment.
    package func agrees(with other: Snapshot) -> Bool {
        var other = other
        other.taken = taken
        return other == self
    }
}

package struct GPUReport: Hashable, Sendable, Codable {
    package var gpu: GPU
    /// The last that was taken; its age is `snapshot.taken` less `sample.taken`. Nil: there was none yet.
    package var sample: Sample?
    package var verdict: Verdict
    /// Nil: it computes, nobody holds memory on it, or nobody could say (MIG).
    package var idle: Idle?
    /// NVML shows it. If not, `gpu` and `sample` are the last that was known.
    package var isVisible: Bool
}

/// Memory is held, and nothing is computed.
package struct Idle: Hashable, Sendable, Codable {
    package var since: Moment
    /// What processes hold, in bytes; nil where the driver does not say.
    package var memory: UInt64?
}

/// How it stands with NVML.
package struct DriverStatus: Hashable, Sendable, Codable {
    package enum State: String, Sendable, Codable {
        /// Not asked yet.
        case starting
        case ready
        /// There is no libnvidia-ml. On a node without GPUs that is as it should be.
        case noLibrary = "no-library"
        /// The library is there; the kernel module is not.
        case notLoaded = "not-loaded"
        /// Library and kernel module are of different versions.
        case mismatch
        case failed
    }

    package var state: State
    /// Why it is not ready.
    package var reason: String?
    package var since: Moment
    /// Where the library was found, as in `/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1`.
    package var library: String?
    /// The driver that the library is of that lies there now: programs that start now get this one. Nil where
    /// its name does not tell.
    package var installed: String?
    /// What the library calls itself: "12.550.54.15".
    package var libraryVersion: String?
    /// The driver, as NVML gives it: "550.54.15".
    package var version: String?
    /// The loaded kernel module, from /proc/driver/nvidia/version.
    package var moduleVersion: String?
    /// The CUDA that the driver can serve: "12.4".
    package var cuda: String?
    /// Functions that this library does not have; what they would give is nil.
    package var missing: [String] = []
    /// The call that is being waited for, once it takes longer than it may.
    package var hung: PendingCall?
    /// When all GPUs were last asked to the end, and how long that took, in seconds.
    package var lastRound: Moment?
    package var roundDuration: Double?
    /// How often all GPUs were asked to the end, since the watch began.
    package var rounds = 0
    /// How often NVML was opened, the first time counted in.
    package var openings = 0
    /// When it was last opened.
    package var opened: Moment?

    package init(_ state: State, since: Moment) {
        (self.state, self.since) = (state, since)
    }
}

/// A call of NVML that has not come back.
package struct PendingCall: Hashable, Sendable, Codable {
    package var call: String
    /// Nil where it is about no single GPU.
    package var bus: PCIAddress?
    package var since: Moment
}
