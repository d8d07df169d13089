import Hosts
import Images
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PreflightDisk {
    static let faults: [PreflightFault] = [
        PreflightFault("disk.snap_var", .failed, "1.0 MiB free on /", "free 1.5 MiB on /") { machine in
            machine.host.answer(where: { $0.argv.first == "df" }, df(available: 1 << 20))
            try machine.carry("large.tar", String(repeating: "x", count: 1 << 20))
            machine.shelf = nil
        },
        PreflightFault("disk.gc_line", .warning, "82 % taken") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(available: 18 << 30, size: 100 << 30))
        },
        PreflightFault("disk.gc_line", .failed, "92 % taken, 97 % with the images") { machine in
            machine.host.answer(where: { $0.argv.first == "df" }, df(available: 8 << 20, size: 100 << 20))
            try machine.carry("large.tar", String(repeating: "x", count: 2 << 20))
            machine.shelf = nil
        },
        PreflightFault("disk.evict_line", .warning, "5.0 GiB left") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(available: 5 << 30))
        },
        PreflightFault("disk.evict_line", .failed, "left") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(available: 1 << 29))
        },
        PreflightFault("disk.inodes", .warning, "500000 left on /", "du --inodes") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(available: 400 << 30, inodes: 500_000))
        },
        PreflightFault("disk.inodes", .failed, "20000 left") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(available: 400 << 30, inodes: 20_000))
        },
        PreflightFault("disk.fstype", .failed, "nfs4 at /") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(type: "nfs4"))
        },
        PreflightFault("disk.fstype", .warning, "zfs at /") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(type: "zfs"))
        },
        PreflightFault("disk.fstype", .unknown, "there is no xfs_info") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(type: "xfs"))
        },
        PreflightFault("disk.fstype", .failed, "ftype=0", "mkfs.xfs -n ftype=1") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(type: "xfs"))
            $0.host["/usr/sbin/xfs_info"] = "ELF"
            $0.host.answer(
                ["xfs_info", "/"], output: "naming   =version 2              bsize=4096   ascii-ci=0, ftype=0\n")
        },
        PreflightFault("disk.symlink", .failed, "/var/snap → /data/snap", "bind") {
            $0.host.place(.link(to: "/data/snap"), at: "/var/snap")
        },
        PreflightFault("disk.mount_opts", .failed, "/var/snap is noexec") { machine in
            let line = "50 29 253:1 / /var/snap rw,noexec,relatime - ext4 /dev/sdb1 rw\n"
            machine.host["/proc/self/mountinfo"] = try PreflightMachine.text("mountinfo.txt") + line
        },
        PreflightFault("disk.mount_opts", .warning, "/tmp is noexec") { machine in
            let line = "50 29 0:31 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw\n"
            machine.host["/proc/self/mountinfo"] = try PreflightMachine.text("mountinfo.txt") + line
        },
        PreflightFault("disk.kubelet_dir", .info, "pods on /var/snap/microk8s/common/var/lib/kubelet") { machine in
            machine.host["/var/snap/microk8s/common/var/lib/kubelet/cpu_manager_state"] = "{}"
            let path = "/var/snap/microk8s/common/var/lib/kubelet"
            machine.host.answer(where: { $0.argv.first == "df" && $0.argv.last == path }, df(mountPoint: path))
        },
        PreflightFault("disk.pvc", .warning, "20.0 GiB free for /srv/jhub", "SHARED_STORAGE_PATH") {
            $0.host.answer(where: { $0.argv.first == "df" }, df(available: 20 << 30))
        },
        PreflightFault("disk.ro_errors", .warning, "2, the last: EXT4-fs error") {
            try $0.answer(["dmesg", "--notime"], "dmesg-errors.txt")
        },
        PreflightFault("disk.fsync", .warning, "99 of 100 within 34.5 ms") {
            $0.host.answer(where: { $0.argv.first == "perl" }, Outcome(output: "902 34512\n"))
        },
        PreflightFault("disk.fsync", .failed, "within 480.0 ms (12 writes in /var/snap)", "SSD") {
            $0.host.answer(where: { $0.argv.first == "perl" }, Outcome(output: "12 480000\n"))
        },
    ]

    @Test(arguments: faults) func isFound(_ fault: PreflightFault) async throws { try await fault.expect() }

    static func df(
        available: Int64 = 441_203_597_312, size: Int64 = 528_311_894_016, inodes: Int = 32_481_230,
        type: String = "ext4", mountPoint: String = "/"
    ) -> Outcome {
        Outcome(
            output: """
                Filesystem Type 1B-blocks Avail Inodes IFree Mounted on
                /dev/sda1  \(type) \(size) \(available) 32768000 \(inodes) \(mountPoint)

                """)
    }

    /// The store has the one image that the config needs, and the disk is nearly full of it.
    @Test func onASecondRunTheImagesNeedNoRoom() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        machine.host.answer(where: { $0.argv.first == "df" }, Self.df(available: 1 << 20))
        machine.host["/var/snap/microk8s/current/credentials/client.config"] = "kubeconfig"
        let images = try await machine.neededImages(size: 1 << 20)
        machine.shelf = images
        machine.hold([])
        let first = try await machine.finding("disk.snap_var")
        #expect(first.verdict == .failed, "\(first)")
        machine.hold(images)
        let second = try await machine.finding("disk.snap_var")
        #expect(second.verdict == .passed, "\(second)")
        #expect(second.threshold.hasPrefix("0 B free"))
    }
}
