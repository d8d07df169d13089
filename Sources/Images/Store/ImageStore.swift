package import Hosts

/// The images of one node's containerd.
package struct ImageStore: Sendable {
    package var host: Host
    /// `ctr` with what it needs to find the right containerd and namespace,
    /// such as ["/snap/bin/microk8s", "ctr"] or ["ctr", "-a", SOCKET, "-n", "k8s.io"].
    package var command: [String]

    package init(host: Host, command: [String]) {
        (self.host, self.command) = (host, command)
    }

    /// Asks the store; nothing is remembered.
    package func holdings() async throws -> Holdings {
        Holdings()
    }

    /// What has to be done for the image to stand whole, unpacked and pinned
    /// under these names (its own, where none are given), or nil.
    package func lacks(
        _ image: ArchivedImage, as references: [ImageReference] = [], in holdings: Holdings
    ) -> ImageLoad? {
        nil
    }

    /// Sends what is missing, names it and pins it. `progress` is told the
    /// bytes sent so far. Whether it worked is asked of `holdings()` afterwards.
    package func load(_ load: ImageLoad, progress: @escaping @Sendable (Int64) -> Void = { _ in }) async throws {
    }
}
