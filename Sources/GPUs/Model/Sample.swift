/// What one GPU did at one moment, in the units of NVML. Nil is what was not measured; it is never written as 0.
package struct Sample: Hashable, Sendable, Codable {
    package var taken: Moment
    /// The share of the last period (1/6 s to 1 s, by model) in which a kernel ran, in percent. MIG has none.
    package var utilization: UInt32?
    /// The share of the last period in which memory was read or written, in percent.
    package var memoryUtilization: UInt32?
    /// In percent.
    package var encoder: UInt32?
    package var decoder: UInt32?
    package var memory: Memory?
    /// In MHz.
    package var smClock: UInt32?
    package var memoryClock: UInt32?
    /// In degrees Celsius.
    package var temperature: UInt32?
    package var memoryTemperature: UInt32?
    /// In milliwatts.
    package var power: UInt32?
    /// What holds now, whoever set it, in milliwatts.
    package var enforcedPowerLimit: UInt32?
    /// Since the driver was loaded, in millijoules.
    package var energy: UInt64?
    package var clockReasons: ClockReasons?
    /// How long clocks were held down since the driver was loaded, in nanoseconds.
    package var powerViolation: UInt64?
    package var thermalViolation: UInt64?
    package var pcie: GPU.PCIeLink?
    package var pcieReplays: UInt64?
    package var ecc: ECC?
    package var remappedRows: RemappedRows?
    package var retiredPages: RetiredPages?
    package var nvlinkErrors: NVLinkErrors?
    package var fabric: Fabric?
    package var recovery: RecoveryAction?
    package var mig: [MIGUse]?
    /// Of all kinds, by process number. Empty: there are none. Nil: nobody could say.
    package var processes: [GPUProcess]?
    /// Calls that failed, other than with "this GPU cannot do that".
    package var failures: [NVMLError] = []

    package init(taken: Moment) { self.taken = taken }
}

extension Sample {
    /// In bytes.
    package struct Memory: Hashable, Sendable, Codable {
        package var total: UInt64
        package var used: UInt64
        package var free: UInt64
        /// What driver and firmware keep. Nil with an old library, which counts it as used.
        package var reserved: UInt64?
    }

    /// Counts of memory errors: since the driver was loaded, and over the GPU's life.
    package struct ECC: Hashable, Sendable, Codable {
        package var corrected: UInt64?
        package var uncorrected: UInt64?
        package var correctedEver: UInt64?
        package var uncorrectedEver: UInt64?
    }

    /// Ampere and later.
    package struct RemappedRows: Hashable, Sendable, Codable {
        package var corrected: UInt32
        package var uncorrected: UInt32
        /// A remapping waits for the next reset of the GPU.
        package var isPending: Bool
        package var hasFailed: Bool
    }

    /// Before Ampere.
    package struct RetiredPages: Hashable, Sendable, Codable {
        package var singleBit: UInt64?
        package var doubleBit: UInt64?
        package var isPending: Bool?
    }

    /// Counts over all links since the driver was loaded.
    package struct NVLinkErrors: Hashable, Sendable, Codable {
        package var crcFlit: UInt64?
        package var crcData: UInt64?
        /// Both together; Hopper does not tell them apart.
        package var crc: UInt64?
        package var replay: UInt64?
        package var recovery: UInt64?
        /// Packets that came with errors (NVLink 5).
        package var received: UInt64?
    }

    /// The memory of one MIG device; `GPU.MIGDevice` has the rest.
    package struct MIGUse: Hashable, Sendable, Codable {
        package var uuid: String
        package var memory: Memory?
    }

    /// Why clocks are not higher (`nvmlClocksEventReasons` in NVML's documentation).
    package struct ClockReasons: OptionSet, Hashable, Sendable, Codable {
        package var rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let idle = ClockReasons(rawValue: 0x1)
        package static let clocksSetting = ClockReasons(rawValue: 0x2)
        package static let powerCap = ClockReasons(rawValue: 0x4)
        package static let hardwareSlowdown = ClockReasons(rawValue: 0x8)
        package static let syncBoost = ClockReasons(rawValue: 0x10)
        package static let softwareThermal = ClockReasons(rawValue: 0x20)
        package static let hardwareThermal = ClockReasons(rawValue: 0x40)
        package static let powerBrake = ClockReasons(rawValue: 0x80)
        package static let displaySetting = ClockReasons(rawValue: 0x100)
    }
}

/// A process that has something on a GPU.
package struct GPUProcess: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable { case compute, graphics, mps }

    /// As the machine counts, not a container.
    package var pid: Int32
    package var kind: Kind
    /// In bytes.
    package var memory: UInt64?
    /// With MIG.
    package var gpuInstance: UInt32?
    package var computeInstance: UInt32?

    package init(
        pid: Int32, kind: Kind, memory: UInt64? = nil, gpuInstance: UInt32? = nil, computeInstance: UInt32? = nil
    ) {
        (self.pid, self.kind, self.memory) = (pid, kind, memory)
        (self.gpuInstance, self.computeInstance) = (gpuInstance, computeInstance)
    }
}
