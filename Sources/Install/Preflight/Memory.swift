import Hosts
import SystemPackage

/// A machine sold with 4 GB shows a little less: firmware and kernel keep some.
struct EnoughMemory: Check {
    let id = "os.mem"
    let title = "The head has memory enough"

    func finding(on site: Site) async throws -> Finding {
        let needs = "8 GB (less than 4 GB: refused)"
        let bytes = try await site.node.learn(MemoryInfo()).total
        let fix =
            "give the machine more memory: 2 GB for Kubernetes and the hub, and what each notebook server asks for"
        if bytes >= 7_500_000_000 { return .passed(bytes.asBytes, needs: needs) }
        return bytes >= 3_700_000_000
            ? .warning(bytes.asBytes, needs: needs, fix: fix) : .failed(bytes.asBytes, needs: needs, fix: fix)
    }
}

/// A warning: MicroK8s' kubelet runs with swap on, but memory limits of pods then do not hold.
struct NoSwap: Check {
    let id = "os.swap"
    let title = "Swap is off"

    func finding(on site: Site) async throws -> Finding {
        let areas = (try await site.node.text(of: "/proc/swaps") ?? "").lines.dropFirst().compactMap { $0.words.first }
        return areas.isEmpty
            ? .passed("none", needs: "none")
            : .warning(
                areas.joined(separator: ", "), needs: "none",
                fix: "swapoff -a, and take the swap lines out of /etc/fstab: sed -i '/\\sswap\\s/s/^/#/' /etc/fstab")
    }
}
