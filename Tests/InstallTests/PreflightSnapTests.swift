import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PreflightSnap {
    static let faults: [PreflightFault] = [
        PreflightFault("snap.version", .failed, "snapd is not installed", "apt install snapd") {
            $0.host["/usr/bin/snap"] = nil
        },
        PreflightFault("snap.version", .failed, "cannot communicate with server", "snapd.socket") {
            $0.host.answer(
                ["snap", "version"],
                Outcome(
                    status: 1,
                    errors:
                        "error: cannot communicate with server: dial unix /run/snapd.socket: connect: no such file\n"))
        },
        PreflightFault("snap.version", .warning, "2.54.3") {
            $0.host.answer(["snap", "version"], output: "snap    2.54.3+20.04\nsnapd   2.54.3+20.04\nseries  16\n")
            try $0.drop("snaps/snapd_21759.snap")
        },
        PreflightFault("snap.bundle", .failed, "none in", "snap download microk8s") {
            try $0.drop("snaps/microk8s_8142.snap")
        },
        PreflightFault("snap.bases", .failed, "without core20", "snap download core20") {
            try $0.drop("snaps/core20_2318.snap")
        },
        PreflightFault("snap.bases", .failed, "without snapd") { try $0.drop("snaps/snapd_21759.snap") },
        PreflightFault("snap.bases", .failed, "without core22") { machine in
            machine.host["/usr/bin/unsquashfs"] = "ELF"
            machine.host.answer(
                where: { $0.argv.starts(with: ["unsquashfs", "-cat"]) },
                Outcome(output: "name: microk8s\nversion: v1.34.1\nbase: core22\nconfinement: classic\n"))
        },
        PreflightFault("snap.assert", .failed, "microk8s_8142.snap has no .assert file") {
            try $0.drop("snaps/microk8s_8142.assert")
        },
        PreflightFault("snap.assert", .failed, "has 9 bytes, its assertion says 15") {
            try $0.carry("snaps/microk8s_8142.snap", "truncated")
        },
        PreflightFault("snap.assert", .failed, "is not the file that its assertion vouches for", "snap download") {
            machine in
            let digest = String(repeating: "ab", count: 48)
            machine.host.answer(
                where: { $0.argv.starts(with: ["openssl", "dgst"]) }, Outcome(output: "\(digest) *file\n"))
        },
        PreflightFault("snap.assert", .failed, "without a snap-revision") {
            try $0.carry("snaps/core20_2318.assert", "type: account-key\nname: store\n\nAcbB\n")
        },
        PreflightFault("snap.assert", .unknown, "there is no openssl") { $0.host["/usr/bin/openssl"] = nil },
        PreflightFault("snap.hold", .warning, "not held", "snap refresh --hold microk8s") { machine in
            let list = try PreflightMachine.text("snap-list.txt").replacing("classic,held", with: "classic")
            machine.host.answer(["snap", "list"], output: list)
        },
        PreflightFault("snap.squashfs", .failed, "none") {
            $0.host["/proc/filesystems"] = "nodev\toverlay\n\text4\n"
            $0.host.answer(["modprobe", "--dry-run", "--quiet", "squashfs"], Outcome(status: 1))
        },
        PreflightFault("mk8s.present", .failed, "v1.28.15, revision 7396", "CLUSTER_PROVIDER=existing") {
            $0.host.answer(
                ["snap", "list"],
                output:
                    "Name Version Rev Tracking Publisher Notes\nmicrok8s v1.28.15 7396 1.28/stable canonical✓ classic\n"
            )
        },
        PreflightFault("mk8s.clustered", .failed, "clustered.lock", "microk8s leave") {
            $0.host["/var/snap/microk8s/current/var/lock/clustered.lock"] = ""
        },
        PreflightFault("mk8s.running", .warning, "stopped", "microk8s start") {
            try $0.installMicroK8s()
            $0.host["/var/snap/microk8s/current/var/lock/stopped.lock"] = ""
        },
        PreflightFault("mk8s.running", .warning, "snap.microk8s.daemon-kubelite.service is failed", "journalctl") {
            try $0.installMicroK8s()
            $0.units(["snap.microk8s.daemon-containerd": .active, "snap.microk8s.daemon-kubelite": .failed])
        },
        PreflightFault("mk8s.leftover", .warning, "vxlan.calico") { $0.host["/sys/class/net/vxlan.calico"] = "" },
        PreflightFault("mk8s.links", .warning, "/etc/cni/net.d: a folder with files") {
            $0.host["/etc/cni/net.d/10-flannel.conflist"] = "{}"
        },
        PreflightFault("mk8s.certs", .warning, "server.crt lasts 34 days", "refresh-certs --cert server.crt") {
            try $0.installMicroK8s()
            try $0.certificate("server", "server-certificate.txt")
        },
        PreflightFault("mk8s.certs", .failed, "server.crt lasts 3 days") {
            try $0.installMicroK8s()
            try $0.certificate("server", "server-certificate.txt")
            $0.host.answer(["date", "+%s"], output: "1797980000\n")
        },
    ]

    @Test(arguments: faults) func isFound(_ fault: PreflightFault) async throws { try await fault.expect() }

    @Test func allIsWellBesideAClusterOfOurOwn() async throws {
        let machine = try PreflightMachine()
        defer { machine.remove() }
        try machine.installMicroK8s()
        for id in [
            "snap.bundle", "snap.bases", "snap.assert", "snap.hold", "mk8s.present", "mk8s.running", "mk8s.leftover",
            "mk8s.certs", "id.fqdn_change",
        ] {
            let finding = try await machine.finding(id)
            #expect(finding.verdict == .passed, "\(id): \(finding)")
        }
        #expect(
            !machine.host.ran.contains { $0.argv.starts(with: ["openssl", "dgst"]) },
            "what is installed is not hashed again")
    }

    @Test func digestsAreWrittenAsAssertionsDo() {
        #expect(SnapAssertions.base64(String(repeating: "aa", count: 48)) == String(repeating: "q", count: 64))
        #expect(SnapAssertions.base64("fbff") == "-_8")
    }
}
