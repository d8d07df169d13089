/// Why something in the cluster is not ready, as one line; nil where it is.
package enum Diagnosis {
    /// A Deployment, DaemonSet or StatefulSet.
    package static func workload(
        _ kind: String, _ name: String, namespace: String, in client: KubeClient
    ) async throws(KubeError) -> String? {
        let what = "\(namespace) \(kind)/\(name)"
        let path = try ResourceKind.named(kind, apiVersion: "apps/v1").path(namespace: namespace, name: name)
        guard let object = try await client.get(path) else { return "\(what) is not there" }
        guard case .waiting(let reason) = Readiness(of: object) else { return nil }
        let selector = labelSelector(object[["spec", "selector", "matchLabels"]])
        let pods = try await client.list("/api/v1/namespaces/\(namespace)/pods", labelSelector: selector)
        if let trouble = try await worst(of: pods, in: client) { return trouble }
        guard pods.isEmpty, let event = try await lastWarning(about: name, namespace: namespace, in: client) else {
            return "\(what): \(reason)"
        }
        return "\(what): \(reason): \(event)"
    }

    /// Pods by their labels; where there are none, that is the reason.
    package static func pods(
        _ labelSelector: String, namespace: String, in client: KubeClient
    ) async throws(KubeError) -> String? {
        let pods = try await client.list("/api/v1/namespaces/\(namespace)/pods", labelSelector: labelSelector)
        return pods.isEmpty
            ? "there is no pod \(labelSelector) in \(namespace)" : try await worst(of: pods, in: client)
    }

    package static func pod(_ name: String, namespace: String, in client: KubeClient) async throws(KubeError) -> String?
    {
        guard let pod = try await client.get("/api/v1/namespaces/\(namespace)/pods/\(name)") else {
            return "pod \(namespace)/\(name) is not there"
        }
        return try await worst(of: [pod], in: client)
    }

    package static func node(_ name: String, in client: KubeClient) async throws(KubeError) -> String? {
        guard let node = try await client.get("/api/v1/nodes/\(name)") else { return "node \(name) is not registered" }
        return Readiness(of: node).reason.map { "node \(name) is not ready: \($0.oneLine)" }
    }

    /// Of several pods in trouble, the one that tells most: a missing image before a wait.
    private static func worst(of pods: [JSON], in client: KubeClient) async throws(KubeError) -> String? {
        var worst: (pod: JSON, trouble: PodTrouble)?
        for pod in pods {
            guard let trouble = PodTrouble.of(pod), trouble.weight > worst?.trouble.weight ?? 0 else { continue }
            worst = (pod, trouble)
        }
        guard let (pod, trouble) = worst else { return nil }
        let name = pod[["metadata", "name"]]?.string ?? ""
        let namespace = pod[["metadata", "namespace"]]?.string ?? ""
        let line = "pod \(namespace)/\(name): \(trouble.text)".oneLine
        guard let more = try await ask(trouble.witness, of: name, namespace: namespace, in: client) else { return line }
        return "\(line): \(more)"
    }

    private static func ask(
        _ witness: PodTrouble.Witness, of pod: String, namespace: String, in client: KubeClient
    ) async throws(KubeError) -> String? {
        switch witness {
        case .none: return nil
        case .events: return try await lastWarning(about: pod, namespace: namespace, in: client)
        case .log(let container, let previous):
            do throws(KubeError) {
                let log = try await client.logs(
                    namespace: namespace, pod: pod, container: container, tail: 3, previous: previous)
                return log.isEmpty ? nil : log.oneLine
            } catch  where error.status != nil {
                // A container that is gone has no log; the trouble stands without it.
                return nil
            }
        }
    }

    /// The latest warning that names the object or, as a Deployment's ReplicaSet does, begins with its name.
    private static func lastWarning(
        about name: String, namespace: String, in client: KubeClient
    ) async throws(KubeError) -> String? {
        let events = try await client.list("/api/v1/namespaces/\(namespace)/events", fieldSelector: "type=Warning")
        let own = events.filter { event in
            let object = event[["involvedObject", "name"]]?.string ?? ""
            return object == name || object.hasPrefix("\(name)-")
        }
        let latest = own.max { time(of: $0) < time(of: $1) }
        return latest?["message"]?.string?.oneLine
    }

    private static func time(of event: JSON) -> String {
        event["lastTimestamp"]?.string ?? event["eventTime"]?.string ?? event[["metadata", "creationTimestamp"]]?.string
            ?? ""
    }

    private static func labelSelector(_ labels: JSON?) -> String {
        (labels?.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.string ?? "")" }
            .joined(separator: ",")
    }
}

extension String {
    fileprivate var oneLine: String {
        split(whereSeparator: \.isNewline).map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
            .filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
