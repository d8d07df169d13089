import Images
import Kube

extension KubeClient {
    /// The images of a workload of kube-system, by container; none where there is no such workload.
    func images(of kind: String, _ name: String) async throws -> [String: ImageReference] {
        let pod = try await get(workload(kind, name))?[["spec", "template", "spec"]]
        var images: [String: ImageReference] = [:]
        for list in Self.lists {
            for container in pod?[list]?.array ?? [] {
                guard let name = container["name"]?.string, let image = container["image"]?.string else { continue }
                images[name] = try ImageReference(parsing: image)
            }
        }
        return images
    }

    /// The change that gives these containers these images; none where they have them.
    func imageChanges(
        _ kind: String, _ name: String, _ images: [String: ImageReference], because reason: String
    ) async throws -> [Change] {
        var manifest = workload(kind, name)
        guard let pod = try await get(manifest)?[["spec", "template", "spec"]] else { return [] }
        var patch: [String: JSON] = [:]
        for list in Self.lists {
            let moved: [JSON] = try (pod[list]?.array ?? []).compactMap { container in
                guard let name = container["name"], let old = container["image"]?.string,
                    let new = images[name.string ?? ""],
                    try ImageReference(parsing: old) != new
                else { return nil }
                return ["name": name, "image": .string(new.description)]
            }
            if !moved.isEmpty { patch[list] = .array(moved) }
        }
        guard !patch.isEmpty, case .object(var members) = manifest.object else { return [] }
        members["spec"] = ["template": ["spec": .object(patch)]]
        manifest.object = .object(members)
        return [Change(.apply(manifest), because: reason)]
    }

    private static let lists = ["initContainers", "containers"]

    private func workload(_ kind: String, _ name: String) -> Manifest {
        Manifest([
            "apiVersion": "apps/v1", "kind": .string(kind),
            "metadata": ["name": .string(name), "namespace": "kube-system"],
        ])
    }
}
