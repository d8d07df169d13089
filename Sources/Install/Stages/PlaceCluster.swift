/// Kubernetes itself, from wherever `CLUSTER_PROVIDER` says.
package struct PlaceCluster: Stage {
    package let name = "cluster"
    package let title = "Place the cluster"
    /// A first start writes certificates, fills the datastore and starts six daemons, on slow disks too.
    package let patience = Duration.seconds(600)
    package init() {}

    package func plan(for site: Site) async throws -> Plan { try await site.provider.plan(for: site) }
    package func trouble(on site: Site) async -> String? { await site.provider.trouble(on: site) }
}
