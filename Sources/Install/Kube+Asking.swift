package import Kube

extension Manifest {
    /// Every object of a YAML text.
    package static func all(inYAML text: String) throws -> [Manifest] {
        try JSON.documents(yaml: text).map(Manifest.init)
    }

    /// The object with a namespace, where it is of a kind that has one and names none.
    package func inNamespace(_ namespace: String) throws -> Manifest {
        guard self.namespace == nil, try ResourceKind.named(kind, apiVersion: apiVersion).isNamespaced,
            case .object(var members) = object, case .object(var metadata)? = members["metadata"]
        else { return self }
        metadata["namespace"] = .string(namespace)
        members["metadata"] = .object(metadata)
        return Manifest(.object(members))
    }
}

extension Diagnosis {
    /// Why a workload of kube-system is not ready; nil where it is, and where this cluster has none of that name.
    static func ofOurs(_ kind: String, _ name: String, in client: KubeClient) async throws -> String? {
        let path = try ResourceKind.named(kind, apiVersion: "apps/v1").path(namespace: "kube-system", name: name)
        guard try await client.get(path) != nil else { return nil }
        return try await workload(kind, name, namespace: "kube-system", in: client)
    }
}

extension KubeClient {
    /// Returns when something happens to an object of the collection, or after the time, in whole seconds.
    func news(at path: String, within time: Duration) async throws {
        let now = try await get(path + "?limit=1")?[["metadata", "resourceVersion"]]?.string
        try await watch(path, resourceVersion: now, for: time) { _ in false }
    }
}
