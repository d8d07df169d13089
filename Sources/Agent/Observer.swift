package import GPUs
import Glibc
import Synchronization
import SystemPackage

/// Puts together what is known: what the driver's watch has, whose the processes are, how the machine stands. Any
/// thread may ask; the driver is never waited for.
package final class Observer: Sendable {
    package let watch: GPUWatch
    private let machine: NodeWatch
    package let node: String
    private let boot: String
    private let owners: Mutex<Owners>
    private let isKubeletAlive = Mutex<Bool?>(nil)

    package init(_ watch: GPUWatch, owners: Owners, machine: NodeWatch) {
        (self.watch, self.machine) = (watch, machine)
        self.owners = Mutex(owners)
        node = Self.line("/proc/sys/kernel/hostname") ?? ""
        boot = Self.line("/proc/sys/kernel/random/boot_id") ?? ""
    }

    package func report() -> Report {
        let snapshot = watch.snapshot()
        let found = owners.withLock { $0.owners(on: snapshot.gpus) }
        var machine = machine.sample()
        machine.isKubeletAlive = isKubeletAlive.withLock { $0 }
        return Report(node: node, boot: boot, snapshot: snapshot, owners: found, machine: machine)
    }

    package func heard(ofKubelet isAlive: Bool?) { isKubeletAlive.withLock { $0 = isAlive } }

    private static func line(_ path: FilePath) -> String? {
        guard let bytes = try? Disk.contents(of: path) else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
