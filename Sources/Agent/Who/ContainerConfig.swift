import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// What a container was made of: the OCI runtime's `config.json`, which containerd writes into its state folder for
/// each container that runs. Only root may write it, so that no process can lay its work at another's door, as it could
/// with its own environment. (https://github.com/opencontainers/runtime-spec)
struct ContainerConfig: Decodable {
    private struct Process: Decodable {
        var env: [String]?
    }

    private var process: Process?
    private var annotations: [String: String]?

    static func reading(_ bytes: [UInt8]) throws -> ContainerConfig {
        try JSONDecoder().decode(ContainerConfig.self, from: Data(bytes))
    }

    // By containerd's CRI plugin (pkg/cri/annotations in containerd 1.6, internal/cri/annotations in 2.x).
    var name: String? { annotations?["io.kubernetes.cri.container-name"] }
    var pod: String? { annotations?["io.kubernetes.cri.sandbox-name"] }
    var namespace: String? { annotations?["io.kubernetes.cri.sandbox-namespace"] }

    /// What JupyterHub's spawners tell each server (`Spawner.get_env`); empty is as good as none.
    var user: String? { value(of: "JUPYTERHUB_USER") }
    var server: String? { value(of: "JUPYTERHUB_SERVER_NAME") }

    private func value(of name: String) -> String? {
        let entry = process?.env?.first { $0.hasPrefix(name + "=") }
        return entry.map { String($0.dropFirst(name.count + 1)) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
