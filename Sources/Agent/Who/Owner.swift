/// Whom a process works for.
package struct Owner: Codable, Hashable, Sendable {
    /// Its id, 64 hexadecimal digits.
    package var container: String?
    /// What the pod calls the container: "notebook".
    package var name: String?
    package var podUID: String?
    package var pod: String?
    package var namespace: String?
    /// Of JupyterHub, where the pod is a server in the hub's namespace.
    package var user: String?
    /// The name of a named server; nil for the default one.
    package var server: String?

    package init() {}
}
