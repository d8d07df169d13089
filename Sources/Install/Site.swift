package import Hosts
package import Images
package import Kube
package import SystemPackage

/// What the stages look at.
package struct Site: Sendable {
    package var settings: Settings
    package var head: Host
    package var provider: any Provider
    /// The directory that was carried in, and what its archives hold.
    package var bundle: Bundle
    /// Where `templates/` and `profiles/` are.
    package var root: FilePath

    package init(settings: Settings, head: Host, provider: any Provider, bundle: Bundle, root: FilePath) {
        (self.settings, self.head, self.provider) = (settings, head, provider)
        (self.bundle, self.root) = (bundle, root)
    }
}

/// Where Kubernetes comes from, as far as the other stages must know.
package protocol Provider: Sendable {
    var kubeconfig: FilePath { get }
    /// How containerd's client is called on a node: program and leading arguments.
    var containerd: [String] { get }
    var helm: [String] { get }
}
