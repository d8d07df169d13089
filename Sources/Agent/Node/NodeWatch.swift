import CTimex
import Glibc
package import SystemPackage

/// Looks at the machine around the GPUs.
package struct NodeWatch: Sendable {
    /// Of each the first that is there: MicroK8s', those of a cluster that somebody set up by hand, those of k3s and RKE2.
    package struct Places: Sendable {
        package var proc: FilePath = "/proc"
        /// On the file systems that the kubelet watches: "nodefs" and "imagefs".
        package var nodeFolders: [FilePath] = ["/var/snap/microk8s/common/var/lib/kubelet", "/var/lib/kubelet"]
        package var imageFolders: [FilePath] = [
            "/var/snap/microk8s/common/var/lib/containerd", "/var/lib/rancher/k3s/agent/containerd",
            "/var/lib/rancher/rke2/agent/containerd", "/var/lib/containerd",
        ]
        package var kubeletArguments: FilePath = "/var/snap/microk8s/current/args/kubelet"
        package var containerdSockets: [FilePath] = [
            "/var/snap/microk8s/common/run/containerd.sock", "/run/k3s/containerd/containerd.sock",
            "/run/containerd/containerd.sock",
        ]
        package init() {}
    }

    private let places: Places
    package init(_ places: Places = Places()) { self.places = places }

    /// Without `isKubeletAlive`, for which somebody has to be asked.
    package func sample() -> NodeSample {
        let times = text("stat").flatMap(ProcessorTimes.parsing)
        return NodeSample(
            cpuSeconds: times?.seconds, processors: times?.processors,
            load1: text("loadavg")?.split(separator: " ").first.flatMap { Double($0) },
            memory: text("meminfo").flatMap(NodeMemory.init),
            disks: [disk("nodefs", places.nodeFolders), disk("imagefs", places.imageFolders)].compactMap(\.self),
            kubelet: kubelet(),
            isContainerdAlive: places.containerdSockets.lazy.compactMap { UnixSocket.isListening(at: $0) }.first,
            clock: Self.clock())
    }

    private func text(_ name: String) -> String? {
        (try? Disk.contents(of: places.proc.appending(name))).map { String(decoding: $0, as: UTF8.self) }
    }

    private func disk(_ name: String, _ folders: [FilePath]) -> NodeDisk? {
        var found = statvfs()
        guard let path = folders.first(where: { statvfs($0.string, &found) == 0 }) else { return nil }
        let block = UInt64(found.f_frsize)
        return NodeDisk(
            name: name, path: path.string, size: UInt64(found.f_blocks) * block,
            available: UInt64(found.f_bavail) * block, inodes: UInt64(found.f_files), freeInodes: UInt64(found.f_favail)
        )
    }

    private func kubelet() -> KubeletLines? {
        guard let bytes = try? Disk.contents(of: places.kubeletArguments) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return KubeletLines(arguments: lines.filter { !$0.hasPrefix("#") })
    }

    /// adjtimex(2) with no mode changes nothing and needs no right.
    private static func clock() -> NodeClock? {
        var clock = timex()
        let state = adjtimex(&clock)
        guard state >= 0 else { return nil }
        let unit = clock.status & STA_NANO != 0 ? 1e-9 : 1e-6
        return NodeClock(
            isSynchronised: clock.status & STA_UNSYNC == 0, offset: Double(clock.offset) * unit,
            mostError: Double(clock.maxerror) * 1e-6)
    }
}
