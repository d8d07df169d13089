package import Hosts
package import Images
package import SystemPackage

/// The bytes that a node's containerd has of its images, read back from where it keeps them.
package struct NodeContent: Sendable {
    package var host: Host
    /// The folder with a file for each blob.
    package var folder: FilePath

    package init(host: Host, folder: FilePath) { (self.host, self.folder) = (host, folder) }

    /// What is wrong with these blobs, a line each; each is hashed, on the node itself.
    package func damages(in blobs: [Blob]) async throws -> [String] {
        guard try await host.has(folder) else {
            throw FactError("there is no \(folder) on \(host.name): its containerd keeps its content elsewhere")
        }
        var damages: [String] = []
        for blob in blobs {
            var command: Command = ["sha256sum", "--", folder.appending(blob.digest.hex).string]
            // For 1 TB at 300 MB/s.
            command.limit = .seconds(3600)
            let outcome = try await host.transport.run(command)
            if outcome.status != 0 {
                damages.append("\(blob.digest) cannot be read: \(outcome.lastWords)")
            } else if outcome.output.words.first != blob.digest.hex {
                damages.append("\(blob.digest) is damaged")
            }
        }
        return damages
    }
}

extension Site {
    package var nodeContent: NodeContent { NodeContent(host: head, folder: provider.content) }
}
