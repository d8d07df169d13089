import Kube
import SystemPackage
import Testing

@testable import Install

@Suite struct ProfileTests {
    private let text = """
        name: Small
        description: For writing
        default: true
        image: myorg/r:4.4
        cpu: {share: 0.25, atMost: 2}
        memory: {share: 0.25, atMost: 8Gi}
        """

    private func profile(_ yaml: String) throws -> Profile { try Profile(yaml: yaml, file: "10-small.yaml") }

    private func node(_ cores: Double, gibibytes: Double) -> NodeSize {
        NodeSize(cores: cores, bytes: gibibytes * 1_073_741_824)
    }

    private func overrides(_ yaml: String, on node: NodeSize) throws -> JSON {
        try profile(yaml).spawnerProfile(on: node)["kubespawner_override"] ?? .null
    }

    @Test(arguments: [
        ("- a", "is not a map"), ("name: [", "cannot be read"), ("cpu: {share: 1}\nmemory: {share: 1}", "has no name"),
        ("name: A\ncpus: 1", "has the key 'cpus', which is none of cpu, default, description, image, memory, name"),
        ("name: A\ncpu: {share: 0}\nmemory: {share: 1}", "cpu.share must be above 0 and at most 1"),
        ("name: A\ncpu: {share: 1}\nmemory: {share: 1.5}", "memory.share must be above 0 and at most 1"),
        ("name: A\ncpu: {share: half}\nmemory: {share: 1}", "cpu.share"), ("name: A\ncpu: 1", "cpu.share"),
        ("name: A\ncpu: {share: 1}\nmemory: {share: 1, atMost: 8 gigs}", "memory.atMost is no amount"),
        ("", "0 documents"), ("name: A\n---\nname: B", "2 documents"),
    ])
    func aFaultNamesTheFile(_ yaml: String, fault: String) {
        let error = #expect(throws: InstallError.self) { try profile(yaml) }
        #expect(error?.description.hasPrefix("the profile 10-small.yaml: ") == true)
        #expect(error?.description.contains(fault) == true, "\(String(describing: error))")
    }

    @Test func itIsAShareOfTheLargestNode() throws {
        let values = try profile(text).spawnerProfile(on: node(4, gibibytes: 16))
        #expect(
            values == [
                "display_name": "Small", "slug": "small", "default": true,
                "description": "For writing: 1 cores, 4096 MiB",
                "kubespawner_override": [
                    "cpu_limit": 1.0, "cpu_guarantee": 0.1, "mem_limit": "4096M", "mem_guarantee": "1024M",
                    "image": "myorg/r:4.4",
                ],
            ])
    }

    @Test func aLargeNodeIsBounded() throws {
        let values = try overrides(text, on: node(128, gibibytes: 1024))
        #expect(values["cpu_limit"] == 2.0)
        #expect(values["mem_limit"] == "8192M")
    }

    @Test func aSmallNodeGivesALittleAllTheSame() throws {
        let values = try overrides(text, on: node(1, gibibytes: 0.5))
        #expect(values["cpu_limit"] == 0.5)
        #expect(values["mem_limit"] == "256M")
        #expect(values["mem_guarantee"] == "64M")
    }

    @Test func aNodesSmallChangesDoNotChangeIt() throws {
        let large = "name: L\ncpu: {share: 0.9}\nmemory: {share: 0.8}"
        let now = try overrides(large, on: node(15.9, gibibytes: 62.70))
        #expect(now == (try overrides(large, on: node(15.92, gibibytes: 62.72))))
        #expect(now["cpu_limit"] == 14.0)
        #expect(now["mem_limit"] == "51200M")
    }

    @Test func itsAddressIsMadeOfItsName() throws {
        let values = try profile("name: Large GPU (A100)\ncpu: {share: 1}\nmemory: {share: 1}")
            .spawnerProfile(on: node(3, gibibytes: 4))
        #expect(values["slug"] == "large-gpu--a100-")
        #expect(values["default"] == nil)
        #expect(values["description"] == "3 cores, 4096 MiB")
    }

    @Test func oursAreReadInOrderAndOneIsTheDefault() throws {
        let profiles = try Profile.all(in: repository)
        #expect(profiles.map(\.name) == ["Small", "Medium", "Large"])
        #expect(profiles.filter(\.isDefault).map(\.name) == ["Small"])
    }

    @Test func theLargestNodeThatTakesPodsCounts() async throws {
        let machine = try TestMachine()
        func node(_ name: String, _ cpu: JSON, _ memory: String, isClosed: Bool = false) -> JSON {
            [
                "apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(name)],
                "spec": ["unschedulable": .bool(isClosed)],
                "status": ["allocatable": ["cpu": cpu, "memory": .string(memory)]],
            ]
        }
        machine.joins(
            try StubCluster([node("a", "3920m", "8Gi"), node("b", "2", "16Gi"), node("c", "64", "1Ti", isClosed: true)])
        )
        let size = try await NodeSize.largest(in: machine.site.kube())
        #expect(size == NodeSize(cores: 3.92, bytes: 17_179_869_184))
    }
}
