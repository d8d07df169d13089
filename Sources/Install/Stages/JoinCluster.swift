/// The machine belongs to this cluster.
package struct JoinCluster: Stage {
    package let name = "join"
    package let title = "Join the cluster"
    /// The first join moves the head's datastore, and its API is away for a while.
    package let patience = Duration.seconds(300)
    package init() {}

    package func plan(for site: Site) async throws -> Plan {
        guard let worker = site.worker else { return .settled }
        switch try await site.liveKube() {
        case .failure(let error): return .waits(for: error.description)
        case .success(let kube): return try await MicroK8s().joinPlan(for: site, worker, in: kube)
        }
    }
}
