package import GPUs
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
package import SystemPackage

import struct FoundationEssentials.Date

/// The resident agent: it watches, answers, records, marks its node, and tells systemd that it is at work.
package struct Service: Sendable {
    package struct Settings: Sendable {
        package var watch = GPUWatch.Settings()
        package var listen: [ListenAddress] = []
        package var token: String?
        package var cluster: ClusterAccess?
        package var hubNamespace = "jhub"
        package var owners = Owners.Places()
        package var machine = NodeWatch.Places()
        /// Where the samples are kept; nil: none are.
        package var ring: FilePath?
        /// In bytes.
        package var ringSize = 64 << 20
        package var record: Duration = .seconds(15)
        /// For whoever has no network.
        package var healthFile: FilePath? = "/run/jhub/health.json"
        package init() {}
    }

    /// As long as the process. Few ask, and answers are at hand: a second thread would only have to be woken.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let settings: Settings
    private let observer: Observer
    /// Told what an administrator should read in the journal, a line each.
    private let tell: @Sendable (String) -> Void

    package init(_ settings: Settings, tell: @escaping @Sendable (String) -> Void) {
        (self.settings, self.tell) = (settings, tell)
        observer = Observer(
            GPUWatch(settings.watch), owners: Owners(hubNamespace: settings.hubNamespace, places: settings.owners),
            machine: NodeWatch(settings.machine))
    }

    /// Until the task is cancelled.
    package func run() async throws {
        let group = Self.group
        let ring = try settings.ring.map { folder throws(RingError) in
            try SampleRing(in: folder, bytes: settings.ringSize, began: UInt64(Date().timeIntervalSince1970 * 1000))
        }
        let routes = Routes(observer, ring: ring, token: settings.token)
        let server = try await WebServer.listening(on: settings.listen, group: group) { routes.answer($0) }
        let node = try settings.cluster.map { access throws(WebError) in try ClusterNode(access, group: group) }
        let client = try WebClient(group: group)
        let manager = ServiceManager()
        manager.ready()
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { await observer.watch.run() }
            tasks.addTask { try await server.serve() }
            tasks.addTask { await watchHealth(manager) }
            tasks.addTask { try await askKubelet(client) }
            if let ring { tasks.addTask { try await record(in: ring) } }
            if let node { tasks.addTask { try await mark(node) } }
            defer { manager.stopping() }
            // None of them ends by itself; where one fails, all do.
            for try await _ in tasks {}
        }
    }

    /// Writes the verdicts down when they change, and often enough to show that it still does; and tells systemd.
    private func watchHealth(_ manager: ServiceManager) async {
        var trouble = Trouble(tell)
        var told: [PCIAddress?: [String]] = [:]
        var (written, at): ([Health.Judgement]?, ContinuousClock.Instant) = (nil, .now)
        for await _ in observer.watch.news() {
            let health = Health(observer.watch.snapshot(), node: observer.node)
            let judgements = [health.verdict] + health.gpus
            if health.driver != .starting {
                for judgement in judgements where told[judgement.bus] ?? Health.Judgement.well != judgement.gist {
                    told[judgement.bus] = judgement.gist
                    tell(judgement.line)
                }
            }
            if let file = settings.healthFile, written != judgements || ContinuousClock.now - at > .seconds(5) {
                trouble.note("write \(file)") {
                    let permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
                    try Disk.replace(file, with: JSONText.bytes(of: health), mode: permissions)
                    (written, at) = (judgements, .now)
                }
            }
            manager.alive("\(health.gpus.count) GPUs, \(health.verdict.state.rawValue)")
        }
    }

    private func record(in ring: SampleRing) async throws {
        var trouble = Trouble(tell)
        var last = try ring.last.flatMap { number in try ring.samples(after: max(number, 1) - 1, bytes: 0).first }
            .flatMap { line in try? JSONText.value(RingSample.self, of: line.sample) }
        while true {
            try await Task.sleep(for: settings.record)
            trouble.note("keep a sample") {
                try ring.append { number in
                    let sample = RingSample(observer.report(), number: number, after: last)
                    last = sample
                    return try JSONText.bytes(of: sample)
                }
            }
        }
    }

    private func askKubelet(_ client: WebClient) async throws {
        // Its own port for this question, on loopback, as it is by default and in MicroK8s.
        let call = WebClient.Call(host: "127.0.0.1", port: 10248, path: "/healthz")
        while true {
            let answer = try? await client.send(call, within: .seconds(5))
            observer.heard(ofKubelet: answer?.status == 200)
            try await Task.sleep(for: .seconds(10))
        }
    }

    private func mark(_ node: ClusterNode) async throws {
        var trouble = Trouble(tell)
        var (set, changed, at): (NodeMark?, Date, ContinuousClock.Instant?) = (nil, Date(), nil)
        for await _ in observer.watch.news() {
            let snapshot = observer.watch.snapshot()
            let mark = NodeMark(snapshot)
            let isDue = at.map { ContinuousClock.now - $0 > ClusterNode.refresh } ?? true
            if snapshot.driver.state != .starting, mark != set || isDue {
                if mark.lost?.status != set?.lost?.status { changed = Date() }
                var reason: String?
                do {
                    try await node.set(mark, changed: changed)
                    (set, at) = (mark, .now)
                } catch {
                    reason = "\(error)"
                    try await Task.sleep(for: .seconds(5))
                }
                trouble.came("mark the node in the cluster", reason)
            }
        }
    }
}

/// Says a trouble once when it comes, and once when it has gone.
private struct Trouble {
    private let tell: @Sendable (String) -> Void
    private var last: String?

    init(_ tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

    mutating func note(_ attempt: String, _ body: () throws -> Void) {
        do {
            try body()
            came(attempt, nil)
        } catch {
            came(attempt, "\(error)")
        }
    }

    mutating func came(_ attempt: String, _ reason: String?) {
        guard reason != last else { return }
        last = reason
        tell(reason.map { "could not \(attempt): \($0)" } ?? "could \(attempt) again")
    }
}
