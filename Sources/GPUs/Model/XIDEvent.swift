/// A fault that the driver has reported.
package struct XIDEvent: Hashable, Sendable, Codable {
    package enum Source: String, Sendable, Codable { case nvml, kernelLog }

    package var source: Source
    /// When it was written to the kernel's log, or when NVML handed it over.
    package var moment: Moment
    package var code: Int
    /// Nil where the driver did not say which GPU it was.
    package var bus: PCIAddress?
    /// Whose work it hit.
    package var pid: Int32?
    package var processName: String?
    /// The driver's own words; nil from NVML, which has none.
    package var text: String?
    /// The number of the line in the kernel's log: with the boot's id, it tells an event from all others.
    package var sequence: UInt64?

    package init(source: Source, moment: Moment, code: Int, bus: PCIAddress?) {
        (self.source, self.moment, self.code, self.bus) = (source, moment, code, bus)
    }

    /// What the catalogue says of it; nil where it is not in there.
    package var entry: XIDEntry? { XIDEntry.catalogue[code] }
}

/// How often a fault was reported since the machine was started, as far back as the kernel's log reaches.
package struct XIDCount: Hashable, Sendable, Codable {
    package var bus: PCIAddress?
    package var code: Int
    package var count: Int
}
