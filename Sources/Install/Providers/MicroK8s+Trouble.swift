import Hosts

extension MicroK8s {
    /// The first of its daemons that does not stay up, with its last words.
    package func trouble(on site: Site) async -> String? {
        for daemon in ["containerd", "k8s-dqlite", "kubelite"] {
            let unit = "snap.microk8s.daemon-\(daemon).service"
            let show: Command = ["systemctl", "show", "--property=Result,NRestarts", unit]
            guard let state = try? await site.node.transport.run(show).output.assignments else { continue }
            // Started again a moment ago it has no bad result any more.
            guard state["Result"] != "success" || state["NRestarts"] != "0" else { continue }
            let words = await lastWords(of: unit, on: site.node).map { ": \($0)" } ?? ""
            return "\(daemon) does not stay up\(words) (more: journalctl -u \(unit))"
        }
        return nil
    }

    /// What the unit's own processes wrote last that sounds like a reason.
    private func lastWords(of unit: String, on host: Host) async -> String? {
        let read: Command = ["journalctl", "--output=cat", "--no-pager", "--lines=100", "_SYSTEMD_UNIT=\(unit)"]
        guard let lines = try? await host.transport.run(read).output.lines else { return nil }
        let signs = ["error", "fatal", "panic", "failed", "no space"]
        return lines.last { line in signs.contains { line.lowercased().contains($0) } } ?? lines.last
    }
}
