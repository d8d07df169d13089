/// A fault of an NVSwitch (SXid), as often as its driver has written it to the kernel's log since the machine was started,
/// as far back as that reaches.
package struct SwitchFault: Hashable, Sendable, Codable {
    /// Of the switch.
    package var bus: PCIAddress
    package var code: Int
    /// The fabric, or a part of it, does not work any more.
    package var isFatal: Bool
    package var count = 1
    /// Of the latest.
    package var moment: Moment
    /// The driver's words on the latest: "Link 46 MC TS crumbstore MCTO (First)".
    package var text: String

    package init(_ bus: PCIAddress, _ code: Int, isFatal: Bool, at moment: Moment, _ text: String) {
        (self.bus, self.code, self.isFatal, self.moment, self.text) = (bus, code, isFatal, moment, text)
    }
}

extension SwitchFault {
    /// NVIDIA's Fabric Manager user guide calls these "always fatal to the entire fabric", and wants the host restarted.
    /// After the others GPUs and switches are reset.
    private static let ofWholeFabric: Set = Set([12020, 22003, 22011]).union(23001...23017)

    /// Nil where nothing is to be done.
    var action: Action? {
        guard isFatal else { return nil }
        return Self.ofWholeFabric.contains(code) ? .reboot : .drainAndReset
    }
}
