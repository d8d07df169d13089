/// An object as it should stand in the cluster.
package struct Manifest: Hashable, Sendable {
    package var object: JSON
    /// Its data is shown to nobody.
    package var isSecret: Bool { kind == "Secret" }

    package init(_ object: JSON) { self.object = object }

    package var apiVersion: String { object["apiVersion"]?.string ?? "" }
    package var kind: String { object["kind"]?.string ?? "" }
    package var name: String { object[["metadata", "name"]]?.string ?? "" }
    package var namespace: String? { object[["metadata", "namespace"]]?.string }
}

extension Manifest: CustomStringConvertible {
    package var description: String { [namespace, "\(kind)/\(name)"].compactMap(\.self).joined(separator: " ") }
}
