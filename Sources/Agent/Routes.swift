import GPUs
import Synchronization

/// What the agent answers:
///
///     /metrics                 Prometheus, our names and units       anybody
///     /metrics?dialect=dcgm    Prometheus, dcgm-exporter's           anybody
///     /healthz                 that the agent itself is at work      anybody
///     /v1/report               all that is known now                 token
///     /v1/inventory            what the GPUs are                     token
///     /v1/health               the verdicts                          token
///     /v1/samples?since=N      the samples after number N, a line each  token
package final class Routes: Sendable {
    /// A portal that was away asks again with the last number it has, until nothing comes.
    static let samplesBytes = 1 << 20

    private let observer: Observer
    private let ring: SampleRing?
    private let token: String?
    /// The answers to `/metrics`, by dialect, but for what changes with each.
    private let written = Mutex<[String?: Written]>([:])

    private struct Written {
        var snapshot: Snapshot
        var owners: [ProcessOwner]
        var text: [UInt8]
    }

    /// - Parameter token: nil: nobody has the right.
    package init(_ observer: Observer, ring: SampleRing?, token: String?) {
        (self.observer, self.ring, self.token) = (observer, ring, token)
    }

    package func answer(_ request: WebRequest) -> WebAnswer {
        switch request.path {
        case "/":
            WebAnswer(200, "jhub-agent: see /metrics, /healthz, /v1/report, /v1/inventory, /v1/health, /v1/samples")
        case "/healthz": WebAnswer(200, "ok")
        case "/metrics": metrics(request.query["dialect"])
        case _ where !request.path.hasPrefix("/v1/"):
            WebAnswer(404, "there is no \(request.path.debugDescription) here")
        case _ where !isKnown(request.token): WebAnswer(401, "this needs the agent's token")
        case "/v1/report": json(observer.report())
        case "/v1/inventory": json(Inventory(observer.report()))
        case "/v1/health": json(Health(observer.watch.snapshot(), node: observer.node))
        case "/v1/samples": samples(since: request.query["since"])
        default: WebAnswer(404, "there is no \(request.path.debugDescription) here")
        }
    }

    private func metrics(_ dialect: String?) -> WebAnswer {
        let (lasting, passing): ([Metric], [Metric])
        switch dialect {
        case nil: (lasting, passing) = (Metric.ofSnapshot, Metric.ofMachine)
        case "dcgm": (lasting, passing) = (Metric.ofDCGM, [])
        default: return WebAnswer(400, "there is no such dialect; it is none, or dcgm")
        }
        let report = observer.report()
        let known = written.withLock { $0[dialect] }.flatMap { known in
            known.owners == report.owners && known.snapshot.agrees(with: report.snapshot) ? known.text : nil
        }
        let text = known ?? Exposition(of: lasting, in: report).text
        if known == nil {
            let new = Written(snapshot: report.snapshot, owners: report.owners, text: text)
            written.withLock { $0[dialect] = new }
        }
        return WebAnswer(200, type: Exposition.type, text + Exposition(of: passing, in: report).text)
    }

    private func samples(since text: String?) -> WebAnswer {
        guard let ring else { return WebAnswer(404, "this agent keeps no samples") }
        guard let number = UInt64(text ?? "0") else { return WebAnswer(400, "since takes the number of a sample") }
        do {
            let lines = try ring.samples(after: number, bytes: Self.samplesBytes)
            let newline = CollectionOfOne(UInt8(ascii: "\n"))
            return WebAnswer(200, type: "application/x-ndjson", lines.flatMap { $0.sample + newline })
        } catch {
            return WebAnswer(500, "\(error)")
        }
    }

    private func json(_ value: some Encodable) -> WebAnswer {
        do {
            return WebAnswer(200, type: "application/json", try JSONText.bytes(of: value))
        } catch {
            return WebAnswer(500, "could not write it as JSON: \(error)")
        }
    }

    /// In a time that tells nothing of how much of it was right.
    private func isKnown(_ given: String?) -> Bool {
        guard let token, let given, token.utf8.count == given.utf8.count else { return false }
        return zip(token.utf8, given.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
