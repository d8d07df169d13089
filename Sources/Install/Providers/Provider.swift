package import Hosts
package import SystemPackage

/// Where Kubernetes comes from, as far as the stages must know.
package protocol Provider: Sendable {
    var kubeconfig: FilePath { get }
    var helm: [String] { get }
    /// Containerd's socket: where it is missing, images cannot be asked for yet.
    var socket: FilePath { get }
    /// The folder whose file system takes the images.
    var imageRoot: FilePath { get }
    /// What the cluster itself still lacks before its API answers.
    func plan(for site: Site) async throws -> Plan
    /// What is wrong with the programs of the cluster itself, where that can be known.
    func trouble(on site: Site) async -> String?
    /// What the cluster runs for its own needs: sandbox, network, names, volumes.
    func images(on site: Site) async throws -> Wanted
    /// The same, before there is a cluster: what that of the bundle will run.
    func carriedImages(in bundle: Bundle, _ host: Host) async throws -> Wanted
    /// What the network still lacks before pods can be connected.
    func networkPlan(for site: Site) async throws -> Plan
    /// Makes the cluster answer to names, where it does not.
    func namesPlan(for site: Site) async throws -> Plan
    /// Makes the storage class of the provider, where there is none.
    func storagePlan(for site: Site) async throws -> Plan
}

extension Provider {
    package func trouble(on site: Site) async -> String? { nil }
}
