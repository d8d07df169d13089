/// A kind of object that we deal in, and where the API server keeps such objects.
package struct ResourceKind: Hashable, Sendable {
    package var apiVersion: String
    package var name: String
    package var plural: String
    package var isNamespaced: Bool

    /// The kind as a manifest names it.
    package static func named(_ name: String, apiVersion: String) throws(KubeError) -> ResourceKind {
        for (versions, kinds) in table where versions.contains(apiVersion) {
            for kind in kinds where kind.name == name {
                return ResourceKind(
                    apiVersion: apiVersion, name: name, plural: kind.plural, isNamespaced: kind.isNamespaced)
            }
        }
        throw KubeError("\(apiVersion) \(name) is no kind that this program knows")
    }

    /// The path of one object, or without a name of all of them: in the namespace, or everywhere.
    package func path(namespace: String? = nil, name: String? = nil) throws(KubeError) -> String {
        if isNamespaced, namespace == nil, let name { throw KubeError("\(self.name)/\(name) names no namespace") }
        var path = apiVersion.contains("/") ? "/apis/\(apiVersion)" : "/api/\(apiVersion)"
        if isNamespaced, let namespace { path += "/namespaces/\(namespace.percentEncoded)" }
        path += "/\(plural)"
        if let name { path += "/\(name.percentEncoded)" }
        return path
    }

    private typealias Row = (name: String, plural: String, isNamespaced: Bool)

    private static let table: [(versions: [String], kinds: [Row])] = [
        (
            ["v1"],
            [
                ("Namespace", "namespaces", false), ("Node", "nodes", false),
                ("PersistentVolume", "persistentvolumes", false),
                ("PersistentVolumeClaim", "persistentvolumeclaims", true),
                ("Pod", "pods", true), ("Service", "services", true), ("Endpoints", "endpoints", true),
                ("ConfigMap", "configmaps", true), ("Secret", "secrets", true),
                ("ServiceAccount", "serviceaccounts", true), ("ResourceQuota", "resourcequotas", true),
                ("LimitRange", "limitranges", true), ("Event", "events", true),
            ]
        ),
        (
            ["apps/v1"],
            [
                ("Deployment", "deployments", true), ("DaemonSet", "daemonsets", true),
                ("StatefulSet", "statefulsets", true), ("ReplicaSet", "replicasets", true),
                ("ControllerRevision", "controllerrevisions", true),
            ]
        ),
        (["batch/v1"], [("Job", "jobs", true), ("CronJob", "cronjobs", true)]),
        (["storage.k8s.io/v1"], [("StorageClass", "storageclasses", false), ("CSIDriver", "csidrivers", false)]),
        (
            ["rbac.authorization.k8s.io/v1"],
            [
                ("Role", "roles", true), ("RoleBinding", "rolebindings", true),
                ("ClusterRole", "clusterroles", false), ("ClusterRoleBinding", "clusterrolebindings", false),
            ]
        ),
        (
            ["networking.k8s.io/v1"],
            [
                ("NetworkPolicy", "networkpolicies", true), ("Ingress", "ingresses", true),
                ("IngressClass", "ingressclasses", false),
            ]
        ),
        (["policy/v1", "policy/v1beta1"], [("PodDisruptionBudget", "poddisruptionbudgets", true)]),
        (["scheduling.k8s.io/v1"], [("PriorityClass", "priorityclasses", false)]),
        (["apiextensions.k8s.io/v1"], [("CustomResourceDefinition", "customresourcedefinitions", false)]),
        (["node.k8s.io/v1", "node.k8s.io/v1beta1"], [("RuntimeClass", "runtimeclasses", false)]),
        (["coordination.k8s.io/v1"], [("Lease", "leases", true)]),
    ]
}

extension Manifest {
    package func path() throws(KubeError) -> String {
        guard !name.isEmpty else { throw KubeError("a manifest of kind '\(kind)' has no name") }
        return try ResourceKind.named(kind, apiVersion: apiVersion).path(namespace: namespace, name: name)
    }
}

extension String {
    package var percentEncoded: String {
        var text = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                Character(scalar).isLetter || Character(scalar).isNumber || "-._~".contains(Character(scalar))
            {
                text.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }
}
