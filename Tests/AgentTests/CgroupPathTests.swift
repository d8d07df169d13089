import Testing

@testable import Agent

@Suite struct CgroupPathTests {
    static let container = "3f4c0a9be1d27a6b58c1f0e2d3a4b5c697887766554433221100ffeeddccbbaa"
    static let uid = "0e8f6f4a-51f5-4a0e-9a6b-3d5a1c2b7e90"

    @Test(arguments: [
        // cgroup v2, the systemd driver of containerd
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(slice).slice/cri-containerd-\(container).scope",
        // cgroup v2, cgroupfs, and a group that the container made for itself
        "0::/kubepods/besteffort/pod\(uid)/\(container)/init.scope",
        // cgroup v1, cgroupfs: MicroK8s
        """
        12:pids:/kubepods/burstable/pod\(uid)/\(container)
        11:devices:/kubepods/burstable/pod\(uid)/\(container)
        1:name=systemd:/kubepods/burstable/pod\(uid)/\(container)
        """,
        // both at once, as a user's server in the lab has it
        """
        9:name=systemd:/kubepods/burstable/pod\(uid)/\(container)
        8:pids:/kubepods/burstable/pod\(uid)/\(container)
        0::/kubepods/burstable/pod\(uid)/\(container)
        """,
        // cgroup v1, where only some hierarchies are the container's
        """
        2:cpuset:/
        1:name=systemd:/kubepods-pod\(slice).slice:cri-containerd:\(container)
        3:memory:/kubepods.slice/kubepods-pod\(slice).slice/crio-\(container).scope
        """,
    ])
    func aPodsProcess(_ text: String) throws {
        let path = try #require(CgroupPath(parsing: text + "\n"))
        #expect(path.container == Self.container)
        #expect(path.podUID == Self.uid || text.contains(":cri-containerd:"))
    }

    private static let slice = String(uid.map { $0 == "-" ? "_" : $0 })

    @Test func aStaticPodHasADigest() {
        let digest = "9bfb2a1d0c4e4f5a8b7c6d5e4f3a2b1c"
        #expect(CgroupPath(parsing: "0::/kubepods/burstable/pod\(digest)/\(Self.container)\n")?.podUID == digest)
    }

    @Test func dockerHasContainersAndNoPods() {
        let path = CgroupPath(parsing: "0::/system.slice/docker-\(Self.container).scope\n")
        #expect(path?.container == Self.container)
        #expect(path?.podUID == nil)
    }

    @Test(arguments: [
        "", "0::/\n", "0::/user.slice/user-1000.slice/session-3.scope\n", "nonsense\n",
        "0::/system.slice/\(container.dropLast()).scope\n", "0::/system.slice/\(container)g\n",
        "0::/system.slice/x\(container)\n",
    ])
    func whatIsInNoContainer(_ text: String) { #expect(CgroupPath(parsing: text) == nil) }
}
