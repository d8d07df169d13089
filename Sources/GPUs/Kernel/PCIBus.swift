import Glibc
import SystemPackage

/// NVIDIA's devices, as the kernel shows them, whatever the driver says.
struct PCIBus {
    struct Device: Hashable, Sendable {
        enum Kind: Sendable { case gpu, nvSwitch }
        var kind: Kind
        var bus: PCIAddress
        /// The kernel's driver that holds it: `nvidia`, `vfio-pci`; nil: none.
        var driver: String?
    }

    private let folder: FilePath
    /// By the folder's name; what a device is does not change while it is there.
    private var kinds: [String: Device.Kind?] = [:]

    init(sys: FilePath) { folder = sys.appending("bus/pci/devices") }

    /// By address. Nil: the kernel shows no bus at all.
    mutating func scan() -> [Device]? {
        guard let names = SmallFile.names(in: folder) else { return nil }
        kinds = kinds.filter { names.contains($0.key) }
        var found: [Device] = []
        for name in names {
            let device = folder.appending(name)
            let kind = kinds[name] ?? Self.kind(of: device)
            kinds[name] = .some(kind)
            guard let kind, let bus = PCIAddress(name) else { continue }
            let driver = SmallFile.target(of: device.appending("driver"))?.lastComponent?.string
            found.append(Device(kind: kind, bus: bus, driver: driver))
        }
        return found.sorted { $0.bus < $1.bus }
    }

    /// By PCI's classes: 0300 VGA, 0302 3D controller; 0680 other bridge, which is what an NVSwitch is.
    private static func kind(of device: FilePath) -> Device.Kind? {
        guard SmallFile.text(device.appending("vendor"))?.hasPrefix("0x10de") == true,
            let type = SmallFile.text(device.appending("class"))
        else { return nil }
        if type.hasPrefix("0x0300") || type.hasPrefix("0x0302") { return .gpu }
        return type.hasPrefix("0x0680") ? .nvSwitch : nil
    }
}
