import GPUs

/// What the cluster is told of a node: labels to choose it by, and a condition where GPUs are lost. Neither takes
/// anything from a container that runs.
struct NodeMark: Hashable, Sendable {
    static let prefix = "jhub-agent/"
    static let condition = "GPULost"

    /// By name; nil: the label is to go.
    var labels: [String: String?]
    /// Nil on a node that has no GPUs.
    var lost: Lost?

    struct Lost: Hashable, Sendable {
        enum Status: String, Sendable {
            case yes = "True"
            case no = "False"
            case unknown = "Unknown"
        }

        var status: Status
        var reason: String
        var message: String
    }

    init(_ snapshot: Snapshot) {
        let visible = snapshot.gpus.filter(\.isVisible).map(\.gpu)
        let has = !snapshot.gpus.isEmpty
        let values: [String: String?] = [
            "gpu-model": Self.common(visible.compactMap(\.model)),
            "gpu-count": has ? "\(visible.count)" : nil,
            "gpu-memory-mib": visible.compactMap(\.memory).min().map { "\($0 >> 20)" },
            "gpu-mig": visible.isEmpty ? nil : Self.mig(visible),
            "gpu-verdict": has ? snapshot.node.state.rawValue : nil,
        ]
        labels = [:]
        for (name, value) in values { labels[Self.prefix + name] = .some(value.map(Self.labelValue)) }
        lost = has ? Self.lost(snapshot) : nil
    }

    private static func lost(_ snapshot: Snapshot) -> Lost {
        let lost = snapshot.gpus.filter { !$0.isVisible }
        guard snapshot.driver.state == .ready, snapshot.driver.hung == nil else {
            let reason = snapshot.driver.hung.map { "\($0.call) has not come back" } ?? snapshot.driver.reason
            return Lost(
                status: .unknown, reason: "DriverDoesNotTell", message: reason ?? "the driver was not asked yet")
        }
        guard !lost.isEmpty else {
            return Lost(status: .no, reason: "AllVisible", message: "the driver shows all \(snapshot.gpus.count) GPUs")
        }
        let names = lost.map { "\($0.gpu.bus): \($0.verdict.action.advice)" }
        return Lost(status: .yes, reason: "DriverLostGPUs", message: names.joined(separator: "; "))
    }

    /// What all have alike; "mixed" where they do not.
    private static func common(_ values: [String]) -> String? {
        Set(values).count > 1 ? "mixed" : values.first
    }

    /// "none", the profile of all parts ("1g.10gb"), or "mixed".
    private static func mig(_ gpus: [GPU]) -> String {
        let profiles = gpus.flatMap { gpu in
            gpu.migDevices.isEmpty ? ["none"] : gpu.migDevices.map { $0.profile ?? "unknown" }
        }
        return common(profiles) ?? "none"
    }

    /// What Kubernetes takes: letters, digits, "-", "_", "." inside, at most 63.
    static func labelValue(_ text: String) -> String {
        let isPlain = { (character: Character) in character.isASCII && (character.isLetter || character.isNumber) }
        let mapped = text.map { isPlain($0) || "-_.".contains($0) ? $0 : "-" }
        let front = mapped.drop { !isPlain($0) }.prefix(63)
        return String(front[..<(front.lastIndex(where: isPlain).map { $0 + 1 } ?? front.startIndex)])
    }
}
