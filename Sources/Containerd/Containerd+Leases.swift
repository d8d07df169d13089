extension Containerd {
    /// Makes a lease. `labels` may say when it ends by itself: `containerd.io/gc.expire`, RFC 3339.
    package func makeLease(_ name: String, labels: [String: String]) async throws(ContainerdError) {
        var request = WireMessage.text(1, name)
        request.set(3, labels)
        _ = try await ask("leases.v1.Leases/Create", request)
    }

    package func leases() async throws(ContainerdError) -> [String] {
        let answer = try await ask("leases.v1.Leases/List", WireMessage())
        return try reading("Leases/List") { () throws(WireError) in try answer.messages(1).map { $0.text(1) } }
    }

    /// Ends a lease; what nothing else refers to is then cleared away. Nothing where there is none.
    package func endLease(_ name: String) async throws(ContainerdError) {
        do {
            _ = try await ask("leases.v1.Leases/Delete", .text(1, name))
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// Puts a blob that is there under this lease.
    package func hold(content digest: String) async throws(ContainerdError) {
        try await hold(digest, "content")
    }

    package func hold(snapshot name: String, of snapshotter: String) async throws(ContainerdError) {
        try await hold(name, "snapshots/" + snapshotter)
    }

    private func hold(_ name: String, _ type: String) async throws(ContainerdError) {
        guard let lease else { return }
        var resource = WireMessage.text(1, name)
        resource.set(2, type)
        var request = WireMessage.text(1, lease)
        request.add(2, resource)
        _ = try await ask("leases.v1.Leases/AddResource", request)
    }
}
