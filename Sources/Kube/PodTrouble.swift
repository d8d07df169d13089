/// What keeps a pod from being ready, as far as the pod itself tells.
struct PodTrouble: Hashable {
    /// What else has to be asked to know it all.
    enum Witness: Hashable {
        case none
        /// The last lines of the container, of this life or the one before.
        case log(container: String, previous: Bool)
        case events
    }

    var text: String
    var witness: Witness = .none
    /// The higher, the likelier it is the cause of what one sees.
    var weight: Int

    /// Nil where the pod is ready, or has done its work.
    static func of(_ pod: JSON) -> PodTrouble? {
        guard case .waiting(let reason) = Readiness(of: pod) else { return nil }
        let status = pod["status"] ?? [:]
        if status["phase"] == "Failed" {
            let words = [status["reason"]?.string, status["message"]?.string].compactMap(\.self).joined(separator: ": ")
            if !words.isEmpty { return PodTrouble(text: words, weight: 4) }
        }
        if pod[["metadata", "deletionTimestamp"]] != nil { return PodTrouble(text: "it is being removed", weight: 1) }
        let scheduled = Readiness.conditions(status).first { $0["type"] == "PodScheduled" }
        if let scheduled, scheduled["status"] == "False" {
            return PodTrouble(text: "Pending: \(scheduled["message"]?.string ?? "no node takes it")", weight: 3)
        }
        let containers =
            (status["initContainerStatuses"]?.array ?? []).compactMap { of(container: $0, isInitial: true, in: pod) }
            + (status["containerStatuses"]?.array ?? []).compactMap { of(container: $0, isInitial: false, in: pod) }
        return containers.max { $0.weight < $1.weight } ?? PodTrouble(text: reason, witness: .events, weight: 1)
    }

    private static func of(container: JSON, isInitial: Bool, in pod: JSON) -> PodTrouble? {
        let name = container["name"]?.string ?? ""
        let who = "\(isInitial ? "init container" : "container") \(name)"
        if let waiting = container[["state", "waiting"]] { return of(waiting: waiting, container, who, in: pod) }
        if let ended = container[["state", "terminated"]] {
            if ended["exitCode"] == 0 { return nil }
            return PodTrouble(
                text: "\(who): \(end(ended))", witness: .log(container: name, previous: false), weight: 4)
        }
        // An init container that runs keeps the others waiting, whatever it says of readiness.
        if isInitial {
            return PodTrouble(
                text: "\(who) is still running", witness: .log(container: name, previous: false), weight: 2)
        }
        if container["ready"] == true { return nil }
        if let last = container[["lastState", "terminated"]], last["exitCode"] != 0 {
            return PodTrouble(
                text: "\(who) runs again after \(end(last)), but is not ready",
                witness: .log(container: name, previous: true), weight: 3)
        }
        return PodTrouble(text: "\(who) runs, but is not ready", witness: .events, weight: 2)
    }

    private static func of(waiting: JSON, _ container: JSON, _ who: String, in pod: JSON) -> PodTrouble {
        let name = container["name"]?.string ?? ""
        let reason = waiting["reason"]?.string ?? "waiting"
        switch reason {
        case "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError":
            return PodTrouble(text: "\(who): \(reason) \(image(of: name, in: pod) ?? "")", weight: 6)
        case "CrashLoopBackOff":
            let last = container[["lastState", "terminated"]].map { ", \(end($0))" } ?? ""
            return PodTrouble(
                text: "\(who): \(reason)\(last)", witness: .log(container: name, previous: true), weight: 5)
        case "ContainerCreating", "PodInitializing":
            return PodTrouble(text: "\(who): \(reason)", witness: .events, weight: 1)
        default:
            let message = waiting["message"]?.string.map { ": \($0)" } ?? ""
            return PodTrouble(text: "\(who): \(reason)\(message)", weight: 5)
        }
    }

    private static func end(_ ended: JSON) -> String {
        let code = ended["exitCode"]?.int.map { "exit code \($0)" } ?? "ended"
        let reason = ended["reason"]?.string ?? "Error"
        return reason == "Error" ? code : "\(code) (\(reason))"
    }

    private static func image(of container: String, in pod: JSON) -> String? {
        let all = ["containers", "initContainers"].flatMap { pod[["spec", $0]]?.array ?? [] }
        return all.first { $0["name"]?.string == container }?["image"]?.string
    }
}
