import Hosts
import Images
import Kube
package import SystemPackage

extension Change: CustomStringConvertible {
    package var description: String { "\(action) (\(reason))" }
}

extension Change.Action: CustomStringConvertible {
    /// In one line, with no contents: some are secret.
    package var description: String {
        switch self {
        case .write(let file, _): "write \(file.path) (\(file.contents.count) bytes, \(file.permissions.octal))"
        case .make(let directory): "make the folder \(directory.path) (\(directory.permissions.octal))"
        case .remove(let path): "remove \(path)"
        case .run(let command, _): "run \(command)"
        case .apply(let manifest): "apply \(manifest)"
        case .delete(let manifest): "delete \(manifest)"
        case .send(let file, let target, _): "send \(file) to \(target)"
        case .join(let join): "join \(join.node) to the cluster of \(join.head)"
        case .stop(let server): "stop \(server)"
        case .load(let load):
            "load \(load.references.map(\.description).joined(separator: ", ")) (\(load.missing.count) blobs, \(load.bytes) bytes)"
        case .unload(let names): "unload \(names.joined(separator: ", "))"
        }
    }
}

extension FilePermissions {
    /// "0644"
    package var octal: String { "0" + String(rawValue, radix: 8) }
}
