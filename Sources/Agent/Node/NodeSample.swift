/// The machine around the GPUs, at one moment. What could not be read is nil.
package struct NodeSample: Codable, Hashable, Sendable {
    /// Seconds of all processors together since boot, by mode: "user", "system", "idle", "iowait" …
    package var cpuSeconds: [String: Double]?
    package var processors: Int?
    /// How many tasks wanted to run, on average over one minute.
    package var load1: Double?
    package var memory: NodeMemory?
    /// The file systems that the kubelet watches: "nodefs" and "imagefs".
    package var disks: [NodeDisk]
    package var kubelet: KubeletLines?
    package var isKubeletAlive: Bool?
    package var isContainerdAlive: Bool?
    package var clock: NodeClock?
}

/// In bytes.
package struct NodeMemory: Codable, Hashable, Sendable {
    package var total: UInt64
    package var available: UInt64

    /// From `/proc/meminfo`, whose "kB" are 1024 bytes.
    package init?(parsing text: String) {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
        let value = { (name: String) -> UInt64? in
            guard let line = lines.first(where: { $0.starts(with: name.utf8) }) else { return nil }
            return Substring(line.dropFirst(name.utf8.count)).split(separator: " ").first.flatMap { UInt64($0) }
        }
        guard let total = value("MemTotal:"), let available = value("MemAvailable:") else { return nil }
        (self.total, self.available) = (total << 10, available << 10)
    }
}

/// In bytes and inodes; available is what a process that is not root may take, as the kubelet counts it.
package struct NodeDisk: Codable, Hashable, Sendable {
    package var name: String
    package var path: String
    package var size: UInt64
    package var available: UInt64
    package var inodes: UInt64
    package var freeInodes: UInt64

    /// How full, from 0 to 1.
    package var fullness: Double { size == 0 ? 0 : 1 - Double(available) / Double(size) }
}

/// As the kernel keeps it, by what chrony, timesyncd or ntpd told it.
package struct NodeClock: Codable, Hashable, Sendable {
    /// False: nobody has set the clock by another for so long that the kernel gave up on it.
    package var isSynchronised: Bool
    /// In seconds; what is still to be corrected.
    package var offset: Double
    /// In seconds; the most that the clock may be wrong, if what set it was right.
    package var mostError: Double
}

package enum ProcessorTimes {
    /// Kernel 2.6.33 and later; in hundredths of a second (USER_HZ is 100 on x86-64).
    private static let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]

    /// From `/proc/stat`.
    static func parsing(_ text: String) -> (seconds: [String: Double], processors: Int)? {
        let rows = text.utf8.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: "cpu".utf8) }
        let sum = rows.first { $0.starts(with: "cpu ".utf8) }
        guard let all = sum.map({ Substring($0).split(separator: " ") }), all.count > modes.count else { return nil }
        var seconds: [String: Double] = [:]
        for (mode, word) in zip(modes, all.dropFirst()) {
            guard let ticks = Double(word) else { return nil }
            seconds[mode] = ticks / 100
        }
        return (seconds, rows.count - 1)
    }
}
