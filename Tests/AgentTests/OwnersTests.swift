import GPUs
import SystemPackage
import Testing

@testable import Agent

/// The files of a node, as containerd 1.6 and a kubelet leave them.
@Suite struct OwnersTests {
    private let folder: Folder
    private let container = CgroupPathTests.container
    private let uid = CgroupPathTests.uid

    init() throws {
        folder = try Folder()
        try folder.write("proc/41/cgroup", "0::/kubepods/burstable/pod\(uid)/\(container)\n")
        try folder.write("proc/42/cgroup", "0::/system.slice/sshd.service\n")
        try folder.write("logs/jhub_jupyter-anna_\(uid)/notebook/0.log", "")
        try folder.write("logs/jhub_jupyter-bert_\(uid.dropLast())1/notebook/0.log", "")
    }

    private func config(_ namespace: String, env: [String], pod: String = "jupyter-anna--two") throws {
        let words = env.map { "\"\($0)\"" }.joined(separator: ",")
        try folder.write(
            "state/io.containerd.runtime.v2.task/k8s.io/\(container)/config.json",
            """
            {"ociVersion": "1.0.2", "process": {"user": {"uid": 1000}, "args": ["sh"], "env": [\(words)]},
             "annotations": {"io.kubernetes.cri.container-type": "container",
                "io.kubernetes.cri.container-name": "notebook", "io.kubernetes.cri.sandbox-name": "\(pod)",
                "io.kubernetes.cri.sandbox-namespace": "\(namespace)"}}
            """)
    }

    private func whose(_ pid: Int32) -> Owner? {
        var owners = owners
        return owners.owner(of: pid)
    }

    private var owners: Owners {
        var places = Owners.Places()
        places.proc = folder.path.appending("proc")
        places.podLogs = folder.path.appending("logs")
        places.containerdStates = [folder.path.appending("nowhere"), folder.path.appending("state")]
        return Owners(hubNamespace: "jhub", places: places)
    }

    @Test func aServersProcessIsItsUsers() throws {
        try config("jhub", env: ["PATH=/bin", "JUPYTERHUB_USER=anna@example.com", "JUPYTERHUB_SERVER_NAME=two"])
        let owner = try #require(whose(41))
        #expect(owner.user == "anna@example.com")
        #expect(owner.server == "two")
        #expect((owner.namespace, owner.pod, owner.name) == ("jhub", "jupyter-anna--two", "notebook"))
        #expect(owner.podUID == uid)
    }

    @Test func aPodThatShowsLateIsFoundAllTheSame() throws {
        try folder.write("proc/41/cgroup", "0::/kubepods/burstable/pod\(uid.dropLast())2/\(container)\n")
        var owners = owners
        let gpus = Machine().snapshot.gpus
        #expect(owners.owners(on: gpus).map(\.owner.pod) == [nil])
        try config("jhub", env: ["JUPYTERHUB_USER=anna"])
        #expect(owners.owners(on: gpus).map(\.owner.user) == ["anna"])
        // While the GPUs tell the same, nobody asks again.
        try folder.write("proc/41/cgroup", "0::/system.slice/sshd.service\n")
        #expect(owners.owners(on: gpus).map(\.owner.user) == ["anna"])
        var later = gpus
        later[0].sample?.taken = Machine.now.advanced(by: 1)
        #expect(owners.owners(on: later).isEmpty)
    }

    @Test func aDefaultServerHasNoName() throws {
        try config("jhub", env: ["JUPYTERHUB_SERVER_NAME=", "JUPYTERHUB_USER=anna"])
        #expect(whose(41)?.user == "anna")
        #expect(whose(41)?.server == nil)
    }

    @Test func nobodyIsAUserByCallingHimselfOneElsewhere() throws {
        try config("mallory", env: ["JUPYTERHUB_USER=anna"])
        let owner = try #require(whose(41))
        #expect(owner.user == nil)
        #expect(owner.namespace == "mallory")
    }

    @Test func withoutItsConfigurationThePodIsStillKnown() throws {
        let owner = try #require(whose(41))
        #expect((owner.namespace, owner.pod, owner.user) == ("jhub", "jupyter-anna", nil))
        try folder.write("state/io.containerd.runtime.v2.task/k8s.io/\(container)/config.json", "{\"process\": [")
        #expect(whose(41)?.pod == "jupyter-anna")
    }

    @Test func othersAreNobodys() {
        #expect(whose(42) == nil)
        #expect(whose(43) == nil)
    }

    @Test func aNumberThatIsUsedAgainIsSomebodyElses() throws {
        try config("jhub", env: ["JUPYTERHUB_USER=anna"])
        #expect(whose(41)?.user == "anna")
        try folder.write("proc/41/cgroup", "0::/\n")
        #expect(whose(41) == nil)
    }
}
