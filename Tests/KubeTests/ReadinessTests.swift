import Kube
import Testing

@Suite struct ReadinessTests {
    private static let deployment: JSON = [
        "kind": "Deployment", "metadata": ["generation": 3], "spec": ["replicas": 2],
        "status": ["observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2],
    ]

    @Test(
        arguments: [
            (["status"], [:], "its controller has not seen it yet"),
            (["status", "observedGeneration"], 2, "has not seen"),
            (["status", "updatedReplicas"], 1, "1 of 2 replicas are of the new version"),
            (["status", "replicas"], 3, "old version"),
            (["status", "availableReplicas"], 0, "0 of 2 replicas are available"),
            (["spec", "replicas"], 0, nil), ([], .null, nil),
            (
                ["status", "conditions"], [["type": "ReplicaFailure", "status": "True", "message": "exceeded quota"]],
                "exceeded quota"
            ),
        ] as [([String], JSON, String?)])
    func aDeployment(path: [String], value: JSON, reason: String?) {
        let reason = expected(reason, Readiness(of: Self.deployment.setting(path, value)))
        #expect(reason)
    }

    @Test(
        arguments: [
            ([], .null, nil), (["status", "numberAvailable"], .null, "0 of 2 pods are available"),
            (["status", "updatedNumberScheduled"], 1, "1 of 2 pods are of the new version"),
            (["status", "desiredNumberScheduled"], 0, nil),
        ] as [([String], JSON, String?)])
    func aDaemonSet(path: [String], value: JSON, reason: String?) {
        let object: JSON = [
            "kind": "DaemonSet", "metadata": ["generation": 1],
            "status": [
                "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2,
            ],
        ]
        #expect(expected(reason, Readiness(of: object.setting(path, value))))
    }

    @Test(
        arguments: [
            ([], .null, nil), (["status", "readyReplicas"], 0, "0 of 1 replicas are ready"),
            (["status", "updateRevision"], "b", "old version"),
        ] as [([String], JSON, String?)])
    func aStatefulSet(path: [String], value: JSON, reason: String?) {
        let object: JSON = [
            "kind": "StatefulSet", "metadata": ["generation": 1], "spec": ["replicas": 1],
            "status": ["observedGeneration": 1, "readyReplicas": 1, "updateRevision": "a", "currentRevision": "a"],
        ]
        #expect(expected(reason, Readiness(of: object.setting(path, value))))
    }

    @Test(
        arguments: [
            ("Node", ["conditions": [["type": "Ready", "status": "True"]]], nil),
            (
                "Node",
                ["conditions": [["type": "Ready", "status": "False", "message": "cni plugin not initialized"]]],
                "cni plugin not initialized"
            ), ("Node", [:], "it is not ready"), ("Pod", ["phase": "Succeeded"], nil),
            (
                "Job", ["conditions": [["type": "Failed", "status": "True", "message": "backoff"]]],
                "it failed: backoff"
            ),
            ("Job", ["conditions": [["type": "Complete", "status": "True"]]], nil),
            ("PersistentVolumeClaim", ["phase": "Pending"], "it is Pending"), ("Namespace", ["phase": "Active"], nil),
            ("ConfigMap", [:], nil),
        ] as [(String, JSON, String?)])
    func otherKinds(kind: String, status: JSON, reason: String?) {
        #expect(expected(reason, Readiness(of: ["kind": .string(kind), "status": status])))
    }

    private func expected(_ reason: String?, _ readiness: Readiness) -> Bool {
        guard let reason else { return readiness == .ready }
        return readiness.reason?.contains(reason) == true
    }
}

extension JSON {
    /// The document with another value at the path; null takes the member away.
    func setting(_ path: [String], _ value: JSON) -> JSON {
        guard let key = path.first else { return self }
        var members = object ?? [:]
        let new = path.count == 1 ? value : (members[key] ?? [:]).setting(Array(path.dropFirst()), value)
        members[key] = new == .null ? nil : new
        return .object(members)
    }
}
