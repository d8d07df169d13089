import Kube

/// A stage that asks the API server, and waits while that does not answer.
protocol ClusterStage: Stage {
    func plan(for site: Site, in kube: KubeClient) async throws -> Plan
}

extension ClusterStage {
    package var watched: String? { "/api/v1/pods" }

    package func plan(for site: Site) async throws -> Plan {
        switch try await site.liveKube() {
        case .failure(let error): .waits(for: error.description)
        case .success(let kube): try await plan(for: site, in: kube)
        }
    }
}
