/// One GPU of the node, by what does not change from second to second.
///
/// Nil is what nobody could say: the driver does not know it for this model, or does not show the GPU.
package struct GPU: Hashable, Sendable, Codable {
    package var bus: PCIAddress
    /// NVML's number, which can change with each start of the driver. Nil where only PCI shows the GPU.
    package var index: Int?
    /// `GPU-…`. Nil where only PCI shows the GPU.
    package var uuid: String?
    /// The number of its device file: 3 for `/dev/nvidia3`.
    package var minor: Int?
    package var model: String?
    package var serial: String?
    package var firmware: String?
    /// In bytes.
    package var memory: UInt64?
    package var power: PowerLimits?
    /// Whether the driver keeps the GPU ready with nobody using it.
    package var isPersistent: Bool?
    package var ecc: Mode?
    package var mig: Mode?
    package var migDevices: [MIGDevice] = []
    /// The most that GPU and slot can do.
    package var pcieLimit: PCIeLink?
    /// Empty where the GPU has none.
    package var nvlinks: [NVLink] = []

    package init(bus: PCIAddress) { self.bus = bus }
}

extension GPU {
    /// A setting that holds from the next reset of the GPU on.
    package struct Mode: Hashable, Sendable, Codable {
        package var isOn: Bool
        package var willBeOn: Bool
    }

    /// In milliwatts.
    package struct PowerLimits: Hashable, Sendable, Codable {
        /// What was set.
        package var limit: UInt32?
        /// What it is when nobody set anything.
        package var standard: UInt32?
        package var least: UInt32?
        package var most: UInt32?
    }

    package struct PCIeLink: Hashable, Sendable, Codable {
        package var generation: UInt32
        /// In lanes.
        package var width: UInt32
    }

    package struct NVLink: Hashable, Sendable, Codable {
        package var link: Int
        package var isActive: Bool
        package var version: UInt32?
        /// What is at the other end: a GPU or a switch.
        package var remote: PCIAddress?
    }

    /// A part of a GPU that programs see as a GPU of its own.
    package struct MIGDevice: Hashable, Sendable, Codable {
        package var index: Int
        /// `MIG-…`
        package var uuid: String
        package var gpuInstance: UInt32?
        package var computeInstance: UInt32?
        /// As in `1g.10gb`.
        package var profile: String?
        /// In bytes.
        package var memory: UInt64?
    }
}
