import Hosts
import SystemPackage

/// A number of the kernel's that has to be large enough.
///
/// The stage "host" and MicroK8s set these themselves, so that a small one is
/// only told; where /proc/sys cannot be written nobody will, and that is a failure.
struct KernelNumber: Check {
    let id: String
    let title: String
    let key: String
    let allowed: ClosedRange<Int>
    /// Who sets it if nobody does before.
    let setter: String
    /// Without it the cluster does not work at all.
    let isVital: Bool

    init(
        _ id: String, _ title: String, _ key: String, _ allowed: ClosedRange<Int>, setter: String = "stage host",
        isVital: Bool = false
    ) {
        (self.id, self.title, self.key, self.allowed) = (id, title, key, allowed)
        (self.setter, self.isVital) = (setter, isVital)
    }

    func finding(on site: Site) async throws -> Finding {
        let needs = "\(key) \(allowed.words)"
        guard let value = try await site.node.sysctl(key) else {
            return .info("this kernel has no \(key) yet", needs: needs)
        }
        if allowed.contains(value) { return .passed("\(value)", needs: needs) }
        let wanted = value < allowed.lowerBound ? allowed.lowerBound : allowed.upperBound
        let fix = "\(setter) sets it; by hand: sysctl -w \(key)=\(wanted)"
        let isFixed = try await site.node.learn(Mounts()).holding("/proc/sys")?.options.contains("ro") == true
        guard isFixed else { return .info("\(value)", needs: needs, fix: fix) }
        let remedy = "set it on the computer that this container runs on: sysctl -w \(key)=\(wanted)"
        return isVital
            ? .failed("\(value), and /proc/sys is read-only", needs: needs, fix: remedy)
            : .warning("\(value), and /proc/sys is read-only", needs: needs, fix: remedy)
    }
}

extension ClosedRange<Int> {
    fileprivate var words: String {
        if lowerBound == upperBound { return "= \(lowerBound)" }
        return upperBound == .max ? "at least \(lowerBound)" : "\(lowerBound) to \(upperBound)"
    }
}

extension KernelNumber {
    static let all = [
        KernelNumber(
            "os.inotify_inst", "Programs may watch files enough", "fs.inotify.max_user_instances", 8192...Int.max),
        KernelNumber(
            "os.inotify_watch", "Files enough may be watched", "fs.inotify.max_user_watches", 1_048_576...Int.max),
        KernelNumber(
            "os.aio", "Asynchronous requests enough are allowed", "fs.aio-max-nr", 1_048_576...Int.max,
            setter: "MicroK8s' install hook"),
        KernelNumber(
            "os.pid_max", "Processes enough are allowed", "kernel.pid_max", 4_194_304...Int.max,
            setter: "a line in /etc/sysctl.d"),
        KernelNumber(
            "os.threads_max", "Threads enough are allowed", "kernel.threads-max", 32_768...Int.max,
            setter: "a line in /etc/sysctl.d"),
        KernelNumber("net.forward", "The machine forwards packets", "net.ipv4.ip_forward", 1...1, isVital: true),
        KernelNumber(
            "net.bridge_nf", "Packets on bridges pass through iptables", "net.bridge.bridge-nf-call-iptables", 1...1,
            isVital: true),
        KernelNumber(
            "net.conntrack", "Connections enough are tracked", "net.netfilter.nf_conntrack_max", 131_072...Int.max,
            setter: "kube-proxy"),
        KernelNumber(
            "net.arp", "The machine answers for all of its addresses", "net.ipv4.conf.all.arp_ignore", 0...0,
            setter: "a line in /etc/sysctl.d"),
    ]
}
