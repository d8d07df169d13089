package import HTTP
package import Hosts
package import Images
package import Kube
package import SystemPackage

/// What the stages look at.
package struct Site: Sendable {
    package var settings: Settings
    /// The machine with the control plane, on which this program runs: the bundle, the kubeconfig and Helm are there.
    package var head: Host
    /// The machine that is worked on, where that is another.
    package var worker: Worker?
    package var provider: any Provider
    /// The directory that was carried in, and what its archives hold.
    package var bundle: Bundle
    /// Where `templates/` and `profiles/` are.
    package var root: FilePath
    package var http: any HTTPExchange
    /// Of the node; unless told otherwise, those of the provider's containerd.
    package var images: any ImageStore
    /// Images that are nowhere are left out, as `--ignore app.complete` says; else nothing is loaded without them.
    package var sparesAbsentImages = false
    /// What the hub's chart asks for, worked out once.
    let chartImages = ChartImages()

    package init(
        settings: Settings, head: Host, provider: any Provider, bundle: Bundle, root: FilePath,
        http: any HTTPExchange = Curl(), images: (any ImageStore)? = nil
    ) {
        (self.settings, self.head, self.provider) = (settings, head, provider)
        (self.bundle, self.root, self.http) = (bundle, root, http)
        self.images = images ?? ContainerdStore(on: head.name, at: provider.socket)
    }

    /// The machine that is worked on.
    package var node: Host { worker?.host ?? head }

    /// The API server, as the provider's kubeconfig names it.
    package func kube() async throws -> KubeClient {
        guard let bytes = try await head.transport.read(provider.kubeconfig) else {
            throw NoCluster(reason: "there is no \(provider.kubeconfig) yet")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let config = try await KubeConfig.load(yaml: text) { try await head.transport.read(FilePath($0)) }
        return KubeClient(config, http: http)
    }

    /// The API server, or why it cannot be asked now: for a stage that waits for the cluster.
    package func liveKube() async throws -> Result<KubeClient, NoCluster> {
        do {
            let client = try await kube()
            if let reason = await client.unreadiness() { return .failure(NoCluster(reason: reason)) }
            return .success(client)
        } catch let error as NoCluster {
            return .failure(error)
        }
    }
}

/// A machine that is, or is to be, a worker of the cluster.
package struct Worker: Sendable {
    package var host: Host
    package var entry: NodeEntry
    package init(host: Host, entry: NodeEntry) { (self.host, self.entry) = (host, entry) }
}

/// The API server cannot be asked. To a stage this is a reason to wait.
package struct NoCluster: Error, Hashable, CustomStringConvertible {
    package var reason: String
    package var description: String { "the cluster does not answer: \(reason)" }
}
