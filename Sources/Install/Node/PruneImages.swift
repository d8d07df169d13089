import Images
import Kube

/// Removes the images that this installer brought and that neither the config nor any pod, declared or running, uses.
package struct PruneImages: Stage {
    package let name = "prune"
    package let title = "Remove the images that nothing uses"
    private let record: Record

    package init(record: Record) { self.record = record }

    package func plan(for site: Site) async throws -> Plan {
        let images = try await site.nodeImages()
        let records = try await site.images.holdings().records
        let brought = try record.images()
        let used = Set(try await site.imagesInUse().compactMap { records[$0]?.digest })
        let wanted = Set(images.filter { $0.state != .extra }.compactMap(\.digest))
        func mayGo(_ image: NodeImage) -> Bool {
            guard let digest = image.digest else { return false }
            return brought.contains(image.name) && !used.contains(digest) && !wanted.contains(digest)
        }
        let extra = Dictionary(grouping: images.filter { $0.state == .extra }, by: \.digest)
        var changes: [Change] = []
        for (digest, named) in extra where named.allSatisfy(mayGo) {
            // With the names that the kubelet's side of containerd gave it: else its content would stay.
            let names = records.filter { $0.value.digest == digest }.keys.sorted()
            let words = named.map(\.name).joined(separator: ", ")
            changes.append(Change(.unload(names), because: "nothing uses \(words) any more"))
        }
        return .of(changes.sorted { $0.reason < $1.reason })
    }
}

extension Site {
    /// The names of the images that pods, those who make pods, and containers have.
    func imagesInUse() async throws -> Set<String> {
        let kube = try await kube()
        var used = Wanted()
        let makers = ["deployments", "daemonsets", "statefulsets", "replicasets"].map { "/apis/apps/v1/" + $0 }
        let jobs = ["/apis/batch/v1/jobs", "/apis/batch/v1/cronjobs", "/apis/batch/v1beta1/cronjobs"]
        for path in ["/api/v1/pods"] + makers + jobs {
            for item in try await kube.get(path)?["items"]?.array ?? [] { used.add(item, of: path) }
        }
        if let doubt = used.doubts.first {
            throw InstallError.refused("cannot tell which images are in use, so none is removed: \(doubt)")
        }
        return try await images.used().union(used.images.map(\.reference.description))
    }
}
