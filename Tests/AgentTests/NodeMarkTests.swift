import Testing

@testable import Agent
@testable import GPUs

@Suite struct NodeMarkTests {
    @Test func aNodeIsLabelledByWhatItHas() {
        let mark = NodeMark(Machine().snapshot)
        #expect(
            mark.labels == [
                "jhub-agent/gpu-model": "NVIDIA-H100-80GB-HBM3", "jhub-agent/gpu-count": "2",
                "jhub-agent/gpu-memory-mib": "81559", "jhub-agent/gpu-mig": "none",
                "jhub-agent/gpu-verdict": "healthy",
            ])
        #expect(mark.lost?.status == .no)
    }

    @Test func aLostGPUIsACondition() {
        let mark = NodeMark(Machine(lost: true).snapshot)
        #expect(mark.labels["jhub-agent/gpu-count"] == "1")
        #expect(mark.labels["jhub-agent/gpu-verdict"] == "unhealthy")
        #expect(mark.lost == .init(status: .yes, reason: "DriverLostGPUs", message: "0000:5e:00.0: reboot the machine"))
    }

    @Test func aDriverThatDoesNotTellIsNotALostGPU() {
        var snapshot = Machine(lost: true).snapshot
        snapshot.driver.hung = PendingCall(call: "nvmlDeviceGetPowerUsage", bus: nil, since: Machine.now)
        #expect(NodeMark(snapshot).lost?.status == .unknown)
        #expect(NodeMark(snapshot).lost?.message == "nvmlDeviceGetPowerUsage has not come back")
    }

    @Test func aNodeWithoutGPUsHasNoLabels() {
        var snapshot = Machine().snapshot
        snapshot.gpus = []
        let mark = NodeMark(snapshot)
        #expect(mark.labels.count == 5)
        #expect(mark.labels.values.allSatisfy { $0 == nil })
        #expect(mark.lost == nil)
    }

    @Test func differentGPUsAreMixed() {
        var snapshot = Machine().snapshot
        snapshot.gpus[1].gpu.model = "NVIDIA A100"
        snapshot.gpus[1].gpu.memory = 40 << 30
        snapshot.gpus[1].gpu.migDevices = [GPU.MIGDevice(index: 0, uuid: "MIG-1", profile: "1g.5gb")]
        let labels = NodeMark(snapshot).labels
        #expect(labels["jhub-agent/gpu-model"] == "mixed")
        #expect(labels["jhub-agent/gpu-memory-mib"] == "40960")
        #expect(labels["jhub-agent/gpu-mig"] == "mixed")
    }

    @Test(arguments: [
        ("NVIDIA H100 80GB HBM3", "NVIDIA-H100-80GB-HBM3"), ("1g.10gb+me", "1g.10gb-me"), ("-x-", "x"), ("", ""),
        ("(?)", ""), (String(repeating: "a", count: 62) + " b", String(repeating: "a", count: 62)),
    ])
    func aLabelsValueIsWhatKubernetesTakes(_ text: String, _ value: String) {
        #expect(NodeMark.labelValue(text) == value)
    }
}
