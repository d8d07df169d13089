package import Hosts
package import SystemPackage

/// A machine of the cluster beside the head, and the way to it. It holds no secret: a password is asked for, a key named.
package struct NodeEntry: Hashable, Sendable {
    /// The host name, which is the node's name in the cluster.
    package var name: String
    /// IPv4, by which the nodes reach each other and the head logs in.
    package var address: String
    package var port: Int
    package var user: String
    /// The host key that the machine has to show; nil only while nobody has said which. None in the inventory is without.
    package var hostKey: Fingerprint?
    /// Of the private key to log in with; nil for the agent's or a password.
    package var keyFile: FilePath?
    /// The user becomes root through sudo.
    package var usesSudo: Bool
    /// What the Node gets, beside the label of its role.
    package var labels: [String: String]

    package init(
        name: String, address: String, port: Int = 22, user: String = "root", hostKey: Fingerprint?,
        keyFile: FilePath? = nil, usesSudo: Bool = false, labels: [String: String] = [:]
    ) {
        (self.name, self.address, self.port, self.user) = (name, address, port, user)
        (self.hostKey, self.keyFile, self.usesSudo, self.labels) = (hostKey, keyFile, usesSudo, labels)
    }
}

/// The only list of the nodes, `/etc/jhub/inventory.yaml`.
package struct NodeList: Hashable, Sendable {
    package static let path: FilePath = "/etc/jhub/inventory.yaml"

    package var nodes: [NodeEntry]
    /// Nodes that were removed while they could not be reached: what we put there is still to be cleaned up.
    package var departed: [NodeEntry]

    package init(nodes: [NodeEntry] = [], departed: [NodeEntry] = []) {
        (self.nodes, self.departed) = (nodes, departed)
    }

    /// The node of that name or address.
    package subscript(name: String) -> NodeEntry? { nodes.first { $0.answers(to: name) } }

    /// The one of that name or address that was removed and not cleaned up.
    package func departed(_ name: String) -> NodeEntry? { departed.first { $0.answers(to: name) } }
}

extension NodeEntry {
    fileprivate func answers(to name: String) -> Bool { name == self.name || name == address }
}
