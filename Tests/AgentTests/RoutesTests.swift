import GPUs
import SystemPackage
import Testing

@testable import Agent

/// What is answered on a machine without a driver.
@Suite struct RoutesTests {
    private let folder: Folder
    private let ring: SampleRing
    private let routes: Routes
    private let watch: GPUWatch

    init() async throws {
        folder = try Folder()
        var settings = GPUWatch.Settings()
        settings.library = folder.path.appending("none.so").string
        settings.sys = folder.path
        settings.kernelLog = folder.path.appending("kmsg")
        watch = GPUWatch(settings)
        await watch.look()
        ring = try SampleRing(in: folder.path.appending("samples"), bytes: 1 << 20, began: 1)
        routes = Routes(
            Observer(watch, owners: Owners(hubNamespace: "jhub"), machine: NodeWatch()), ring: ring, token: "geheim")
    }

    private func ask(_ path: String, _ query: [String: String] = [:], token: String? = nil) -> (Int, String) {
        let answer = routes.answer(WebRequest(path, query: query, token: token))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    @Test func anybodyMayHaveMetrics() {
        let (status, text) = ask("/metrics")
        #expect(status == 200)
        #expect(text.contains("\njhub_driver_state{state=\"no-library\"} 1\n"))
        #expect(text.contains("\njhub_node_gpus 0\n"))
        #expect(!text.contains("jhub_gpu_up"))
        #expect(ask("/metrics", ["dialect": "dcgm"]) == (200, ""))
        #expect(ask("/metrics", ["dialect": "klingon"]).0 == 400)
        #expect(ask("/healthz") == (200, "ok\n"))
    }

    @Test func theNextAnswerTellsWhatHasChanged() async throws {
        let first = ask("/metrics").1
        #expect(first.contains("\njhub_node_gpus 0\n"))
        #expect(ask("/metrics", ["dialect": "dcgm"]).1.isEmpty)
        try folder.write("bus/pci/devices/0000:3b:00.0/vendor", "0x10de\n")
        try folder.write("bus/pci/devices/0000:3b:00.0/class", "0x030200\n")
        await watch.look()
        let second = ask("/metrics").1
        #expect(second.contains("\njhub_node_gpus 1\n"))
        #expect(second.contains("\njhub_gpu_up{bus=\"0000:3b:00.0\"} 0\n"))
        #expect(ask("/metrics").1.contains("\njhub_node_gpus 1\n"))
    }

    @Test(arguments: ["/v1/report", "/v1/inventory", "/v1/health", "/v1/samples"])
    func theRestNeedsTheToken(_ path: String) {
        #expect(ask(path).0 == 401)
        #expect(ask(path, token: "geheiM").0 == 401)
        #expect(ask(path, token: "geheim2").0 == 401)
        #expect(ask(path, token: "").0 == 401)
        #expect(ask(path, token: "geheim").0 == 200)
    }

    @Test func withoutATokenNobodyHasTheRight() {
        let routes = Routes(
            Observer(GPUWatch(), owners: Owners(hubNamespace: "jhub"), machine: NodeWatch()), ring: nil, token: nil)
        #expect(routes.answer(WebRequest("/v1/report", token: "")).status == 401)
        #expect(routes.answer(WebRequest("/v1/report")).status == 401)
    }

    @Test func whatIsNotThereIsSaid() {
        #expect(ask("/nonsense") == (404, "there is no \"/nonsense\" here\n"))
        #expect(ask("/v1/nonsense").0 == 401)
        #expect(ask("/v1/nonsense", token: "geheim").0 == 404)
        #expect(ask("/v1/samples", ["since": "x"], token: "geheim").0 == 400)
    }

    @Test func aReportReadsBack() throws {
        let answer = routes.answer(WebRequest("/v1/report", token: "geheim"))
        let report: Report = try JSONText.value(of: answer.body)
        #expect(report.snapshot.driver.state == .noLibrary)
        #expect(report.snapshot.gpus.isEmpty)
        #expect(!report.node.isEmpty)
        #expect(!report.boot.isEmpty)
    }

    @Test func samplesComeALineEach() throws {
        for _ in 0..<3 { try ring.append { Array("{\"number\":\($0)}".utf8) } }
        #expect(ask("/v1/samples", ["since": "1"], token: "geheim") == (200, "{\"number\":2}\n{\"number\":3}\n"))
        #expect(ask("/v1/samples", ["since": "3"], token: "geheim") == (200, ""))
    }
}
