import Hosts
import SystemPackage

struct SnapdRuns: Check {
    let id = "snap.version"
    let title = "snapd is there, runs, and is new enough"

    func finding(on site: Site) async throws -> Finding {
        let needs = "snapd 2.58 or newer, active"
        guard try await site.node.program("snap") != nil else {
            return .failed(
                "snapd is not installed", needs: needs,
                fix:
                    "install it from the system's disc or the bundle's packages/: apt install snapd (or apt install ./snapd_*.deb)"
            )
        }
        let outcome = try await site.node.transport.run(["snap", "version"])
        guard let line = outcome.output.lines.first(where: { $0.hasPrefix("snapd") }), let word = line.words.last,
            !Version(word).numbers.isEmpty
        else {
            return .failed(
                "snap version says '\(outcome.lastWords)'", needs: needs,
                fix: "start it: systemctl enable --now snapd.socket snapd.service; then look at journalctl -u snapd")
        }
        if Version(word) >= Version("2.58") { return .passed(word, needs: needs) }
        if try site.bundle.snaps().contains(where: { $0.name == "snapd" }) {
            return .passed("\(word), and the bundle has a newer one", needs: needs)
        }
        return .warning(
            word, needs: needs,
            fix: "add the snap snapd to the bundle (snap download snapd): this one cannot hold refreshes back")
    }
}

struct SnapsThere: Check {
    let id = "snap.bundle"
    let title = "MicroK8s is in the bundle, or installed"

    func finding(on site: Site) async throws -> Finding {
        let needs = "microk8s_REVISION.snap"
        if try await site.snaps().contains(where: { $0.name == "microk8s" }) {
            return .passed("installed", needs: needs)
        }
        if let snap = try site.bundle.snaps().first(where: { $0.name == "microk8s" }) {
            return .passed("revision \(snap.revision)", needs: needs)
        }
        return .failed(
            "none in \(site.bundle.path.appending("snaps"))", needs: needs,
            fix:
                "where there is Internet: snap download microk8s --channel=1.30/stable; carry both files into the bundle's snaps/"
        )
    }
}

struct BasesThere: Check {
    let id = "snap.bases"
    let title = "What MicroK8s stands on is in the bundle, or installed"
    static let bases = ["core20", "core22", "core24"]

    func finding(on site: Site) async throws -> Finding {
        let installed = try await site.snaps().map(\.name)
        if installed.contains("microk8s") { return .passed("MicroK8s is installed", needs: "nothing more") }
        let carried = try site.bundle.snaps().map(\.name)
        let there = Set(installed + carried)
        let wanted = try await base(of: site)
        let needs = "snapd and \(wanted ?? Self.bases.joined(separator: " or "))"
        var lacking: [String] = []
        if !there.contains("snapd") && !there.contains("core") { lacking.append("snapd") }
        if let wanted, !there.contains(wanted) { lacking.append(wanted) }
        if wanted == nil && there.isDisjoint(with: Self.bases) { lacking.append("core20") }
        guard !lacking.isEmpty else {
            return .passed(there.subtracting(["microk8s"]).sorted().joined(separator: ", "), needs: needs)
        }
        return .failed(
            "without \(lacking.joined(separator: ", "))", needs: needs,
            fix: "where there is Internet: \(lacking.map { "snap download \($0)" }.joined(separator: "; ")); "
                + "carry the files into the bundle's snaps/")
    }

    /// As the snap itself says it, where there is a program that can look inside.
    private func base(of site: Site) async throws -> String? {
        guard let snap = try site.bundle.snaps().first(where: { $0.name == "microk8s" }),
            try await site.head.program("unsquashfs") != nil
        else { return nil }
        let outcome = try await site.head.transport.run(["unsquashfs", "-cat", snap.file.string, "meta/snap.yaml"])
        return outcome.output.lines.first { $0.hasPrefix("base:") }?.words.last
    }
}

struct RefreshHeld: Check {
    let id = "snap.hold"
    let title = "MicroK8s does not refresh by itself"

    func finding(on site: Site) async throws -> Finding {
        guard let snap = try await site.snaps().first(where: { $0.name == "microk8s" }) else {
            return .passed("not installed yet", needs: "held")
        }
        if snap.isHeld { return .passed("held", needs: "held") }
        let hold: Command = ["snap", "refresh", "--hold", "microk8s"]
        return .warning(
            "not held", needs: "held", fix: "\(hold)",
            repair: [
                Change(
                    .run(hold, undo: ["snap", "refresh", "--unhold", "microk8s"]),
                    because: "a refresh by itself would restart the cluster")
            ])
    }
}

/// A snap is a file system in a file.
struct SnapsMountable: Check {
    let id = "snap.squashfs"
    let title = "The kernel can mount snaps"

    func finding(on site: Site) async throws -> Finding {
        let known = (try await site.node.text(of: "/proc/filesystems") ?? "").words
        let needs = "squashfs"
        if known.contains("squashfs") { return .passed("squashfs", needs: needs) }
        if try await site.node.canLoad("squashfs") {
            return .passed("squashfs, as a module", needs: needs)
        }
        return .failed(
            "none", needs: needs, fix: "install the kernel's modules: apt install linux-modules-extra-$(uname -r)")
    }
}

extension Site {
    /// What snapd has installed; none where there is no snapd.
    func snaps() async throws -> [InstalledSnaps.Snap] {
        guard try await node.program("snap") != nil else { return [] }
        return try await node.learn(InstalledSnaps())
    }
}
