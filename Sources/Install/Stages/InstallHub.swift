import HTTP
import Hosts
import Kube
import SystemPackage

/// The hub: its secrets, its values, its chart; and then its login page, fetched as a user would.
package struct InstallHub: ClusterStage {
    package let name = "hub"
    package let title = "Install the hub"
    package let patience = Duration.seconds(900)
    package init() {}

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        let namespace = site.settings.jhubNs
        guard try await kube.get("/api/v1/namespaces/\(namespace)") != nil else {
            return .waits(for: "the namespace \(namespace)")
        }
        guard let secrets = try await HubSecrets.standing(in: kube, namespace: namespace) else {
            return .changes(try await firstSecrets(site))
        }
        let size = try await NodeSize.largest(in: kube)
        let values = try HubValues(settings: site.settings, secrets: secrets, root: site.root, node: size).json
        let changes = try await release(values, on: site, kube: kube)
        guard changes.isEmpty else { return .changes(changes) }
        for name in ["hub", "proxy"] {
            if let reason = try await Diagnosis.workload("Deployment", name, namespace: namespace, in: kube) {
                return .waits(for: reason)
            }
        }
        return try await loginPage(site)
    }

    /// The password's file and the Secret are made together, and never again.
    private func firstSecrets(_ site: Site) async throws -> [Change] {
        let transport = site.head.transport
        let path = site.settings.adminPasswordFile ?? HubSecrets.passwordFile
        var changes: [Change] = []
        var password = String(decoding: try await transport.read(path) ?? [], as: UTF8.self).trimmed
        if password.isEmpty {
            password = Random.password()
            let file = File(path, password + "\n", permissions: .ownerReadWrite, isSecret: true)
            changes.append(Change(.write(file), because: "the first admin needs a password"))
        }
        let secret = HubSecrets.fresh(password: password, namespace: site.settings.jhubNs)
        changes.append(Change(.apply(secret), because: "the hub's secrets are made once and kept"))
        return changes
    }

    private func release(_ values: JSON, on site: Site, kube: KubeClient) async throws -> [Change] {
        let settings = site.settings
        let release = HelmRelease(
            name: settings.jhubRelease, namespace: settings.jhubNs, helm: site.provider.helm, host: site.head)
        guard let chart = try site.bundle.chart("jupyterhub", version: settings.jhubChartVersion) else {
            throw BundleError(
                "there is no \(site.bundle.path)/charts/jupyterhub-\(settings.jhubChartVersion).tgz, the hub's chart")
        }
        let upgrade = release.upgrade(chart: chart, values: values, limit: settings.helmTimeout.duration)
        func because(_ reason: String) async throws -> [Change] {
            // The chart's schema is asked before anything is sent to the cluster.
            if let refusal = try await release.refusal(chart: chart, values: values) {
                throw InstallError.refused("the chart refuses the values made of the config: \(refusal)")
            }
            return [Change(.run(upgrade), because: reason)]
        }
        guard let state = try await release.state() else { return try await because("the hub is not installed") }
        if state.status.hasPrefix("pending-") {
            let forget = Change(
                .delete(release.record(of: state.revision)),
                because: "revision \(state.revision) is \(state.status): its Helm was ended before it was done")
            return [forget]
        }
        guard state.status == "deployed" else { return try await because("the release is \(state.status)") }
        guard state.chart == "jupyterhub-\(settings.jhubChartVersion)" else {
            return try await because("the hub is of \(state.chart)")
        }
        let content = try await release.content()
        let differences = values.paths(differingFrom: content.values)
        guard differences.isEmpty else {
            return try await because("the config changed \(differences.joined(separator: ", "))")
        }
        let edited = try await drift(of: content.manifests, in: kube)
        return edited.isEmpty ? [] : try await because("edited since: \(edited.joined(separator: "; "))")
    }

    /// What of the release's objects no longer is as Helm made it.
    private func drift(of manifests: [Manifest], in kube: KubeClient) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            for manifest in manifests {
                group.addTask {
                    let fields = try await kube.wouldChange(manifest)
                    return fields.isEmpty ? nil : "\(manifest) \(fields.joined(separator: ", "))"
                }
            }
            return try await group.reduce(into: []) { if let text = $1 { $0.append(text) } }.sorted()
        }
    }

    /// Fetched through the NodePort, as a browser would.
    private func loginPage(_ site: Site) async throws -> Plan {
        let url = try await site.nodePortAddress() + "/hub/login"
        do {
            let response = try await site.http.send(HTTPRequest("GET", url, limit: .seconds(10)))
            // An authenticator of another site answers with a redirection to its own page.
            guard [200, 302].contains(response.status) else {
                return .waits(for: "\(url), which answers \(response.status)")
            }
            return .settled
        } catch {
            return .waits(for: error.description)
        }
    }
}

extension Site {
    package func nodePortAddress() async throws -> String {
        "http://\(try await NodeAddress.of(self)):\(settings.nodeportFallbackPort)"
    }
}
