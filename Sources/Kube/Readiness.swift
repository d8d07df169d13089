/// Whether an object has become what it was asked to be.
package enum Readiness: Hashable, Sendable {
    case ready
    case waiting(String)

    package var reason: String? { if case .waiting(let reason) = self { reason } else { nil } }

    /// By the object alone. Kinds that are as soon as they are written are ready.
    package init(of object: JSON) {
        let status = object["status"] ?? [:]
        switch object["kind"]?.string {
        case "Deployment": self = Self.deployment(object, status)
        case "DaemonSet": self = Self.daemonSet(object, status)
        case "StatefulSet": self = Self.statefulSet(object, status)
        case "Pod" where status["phase"]?.string == "Succeeded": self = .ready
        case "Pod", "Node": self = Self.condition("Ready", of: status, or: "it is not ready")
        case "Job": self = Self.job(status)
        case "CustomResourceDefinition": self = Self.condition("Established", of: status, or: "it is not established")
        case "PersistentVolumeClaim": self = Self.phase("Bound", status)
        case "Namespace": self = Self.phase("Active", status)
        default: self = .ready
        }
    }

    private static func deployment(_ object: JSON, _ status: JSON) -> Readiness {
        guard isObserved(object, status) else { return .waiting("its controller has not seen it yet") }
        let wanted = object[["spec", "replicas"]]?.int ?? 1
        let updated = status["updatedReplicas"]?.int ?? 0
        let available = status["availableReplicas"]?.int ?? 0
        if let stuck = conditions(status).first(where: { $0["type"] == "ReplicaFailure" && $0["status"] == "True" }) {
            return .waiting(stuck["message"]?.string ?? "its pods cannot be made")
        }
        if updated < wanted { return .waiting("\(updated) of \(wanted) replicas are of the new version") }
        if (status["replicas"]?.int ?? 0) > updated { return .waiting("replicas of the old version are still there") }
        return available < wanted ? .waiting("\(available) of \(wanted) replicas are available") : .ready
    }

    private static func daemonSet(_ object: JSON, _ status: JSON) -> Readiness {
        guard isObserved(object, status) else { return .waiting("its controller has not seen it yet") }
        let wanted = status["desiredNumberScheduled"]?.int ?? 0
        let updated = status["updatedNumberScheduled"]?.int ?? 0
        let available = status["numberAvailable"]?.int ?? 0
        let updatesByItself = object[["spec", "updateStrategy", "type"]]?.string != "OnDelete"
        if updatesByItself, updated < wanted { return .waiting("\(updated) of \(wanted) pods are of the new version") }
        return available < wanted ? .waiting("\(available) of \(wanted) pods are available") : .ready
    }

    private static func statefulSet(_ object: JSON, _ status: JSON) -> Readiness {
        guard isObserved(object, status) else { return .waiting("its controller has not seen it yet") }
        let wanted = object[["spec", "replicas"]]?.int ?? 1
        let ready = status["readyReplicas"]?.int ?? 0
        if ready < wanted { return .waiting("\(ready) of \(wanted) replicas are ready") }
        let updates = object[["spec", "updateStrategy", "type"]]?.string != "OnDelete"
        let isNew = status["updateRevision"] == status["currentRevision"] || status["updatedReplicas"]?.int == wanted
        return updates && !isNew ? .waiting("replicas of the old version are still there") : .ready
    }

    private static func job(_ status: JSON) -> Readiness {
        for condition in conditions(status) where condition["status"] == "True" {
            if condition["type"] == "Complete" { return .ready }
            if condition["type"] == "Failed" { return .waiting("it failed: \(condition["message"]?.string ?? "")") }
        }
        return .waiting("it has not finished")
    }

    private static func condition(_ type: JSON, of status: JSON, or reason: String) -> Readiness {
        guard let condition = conditions(status).first(where: { $0["type"] == type }) else { return .waiting(reason) }
        if condition["status"] == "True" { return .ready }
        return .waiting(condition["message"]?.string ?? condition["reason"]?.string ?? reason)
    }

    private static func phase(_ wanted: String, _ status: JSON) -> Readiness {
        let phase = status["phase"]?.string ?? "unknown"
        return phase == wanted ? .ready : .waiting("it is \(phase)")
    }

    static func conditions(_ status: JSON) -> [JSON] { status["conditions"]?.array ?? [] }

    /// A status that speaks of an older form of the object says nothing.
    private static func isObserved(_ object: JSON, _ status: JSON) -> Bool {
        (status["observedGeneration"]?.int ?? 0) >= (object[["metadata", "generation"]]?.int ?? 0)
    }
}
