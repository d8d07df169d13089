/// The container that a process belongs to, as its control groups name it.
package struct CgroupPath: Hashable, Sendable {
    /// 64 hexadecimal digits, as containerd, CRI-O and Docker give them.
    package var container: String
    /// Nil where the container belongs to no pod.
    package var podUID: String?

    /// Reads `/proc/PID/cgroup`, of v1 ("4:devices:/kubepods/…") and v2 ("0::/kubepods.slice/…") alike. Nil where the
    /// process is in no container.
    package init?(parsing text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            // What a container makes of groups below its own stands behind its name.
            let names = fields[2].split(separator: "/")
            guard let place = names.firstIndex(where: { Self.container(in: $0) != nil }),
                let container = Self.container(in: names[place])
            else { continue }
            self.container = container
            podUID = names[..<place].lazy.compactMap(Self.podUID).last
            return
        }
        return nil
    }

    /// "0a3f…", "cri-containerd-0a3f….scope", "crio-0a3f….scope", "docker-0a3f….scope"
    private static func container(in name: Substring) -> String? {
        let bare = name.hasSuffix(".scope") ? name.dropLast(".scope".count) : name
        // With the systemd driver of runc: "kubepods-burstable-podUID.slice:cri-containerd:0a3f…"
        let id = bare.suffix(64)
        guard id.count == 64, id.allSatisfy(\.isHexDigit) else { return nil }
        guard let before = bare.dropLast(64).last else { return String(id) }
        return before == "-" || before == ":" ? String(id) : nil
    }

    /// "pod1b4e…-…" of the cgroupfs driver; "kubepods-burstable-pod1b4e…_….slice" of systemd's.
    private static func podUID(in name: Substring) -> String? {
        let bare = name.hasSuffix(".slice") ? name.dropLast(".slice".count) : name
        // Of a slice's name the last part: in it the UID has underscores, since a dash means a slice within a slice.
        let last = bare.hasPrefix("pod") ? bare : bare.split(separator: "-").last ?? ""
        guard last.hasPrefix("pod") else { return nil }
        let uid = last.dropFirst(3).map { $0 == "_" ? "-" : $0 }
        // Static pods have 32 digits for theirs, all others a UUID.
        guard uid.count == 36 || uid.count == 32, uid.allSatisfy({ $0.isHexDigit || $0 == "-" }) else { return nil }
        return String(uid)
    }
}
