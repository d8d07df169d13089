extension KubeClient {
    /// Server-side apply: the manifest says what should stand, and saying it again changes nothing.
    @discardableResult
    package func apply(_ manifest: Manifest) async throws(KubeError) -> JSON {
        try await apply(manifest, dryRun: false)
    }

    /// The paths of the fields that `apply` would change, by a dry run; none
    /// where the object stands as it should, `(absent)` where there is none.
    /// No value is shown, so a Secret's are safe.
    package func wouldChange(_ manifest: Manifest) async throws(KubeError) -> [String] {
        var changes: [String] = []
        // Somebody else may write between the two looks: then they tell nothing, and we look again.
        for _ in 0..<3 {
            guard let live = try await get(manifest) else { return [Self.absent] }
            let applied = try await apply(manifest, dryRun: true)
            changes = applied.settled.paths(differingFrom: live.settled)
            if changes.isEmpty || live.version == applied.version { break }
        }
        return changes
    }

    package static let absent = "(absent)"

    private func apply(_ manifest: Manifest, dryRun: Bool) async throws(KubeError) -> JSON {
        let query = "?fieldManager=jhub-install&force=true" + (dryRun ? "&dryRun=All" : "")
        let response = try await send(
            "PATCH", manifest.path() + query, "application/apply-patch+yaml", manifest.completed.bytes)
        return try object(response, attempt: "apply \(manifest)")
    }
}

extension JSON {
    fileprivate var version: JSON? { self[["metadata", "resourceVersion"]] }

    /// The object without what the server writes into it by itself.
    fileprivate var settled: JSON {
        guard case .object(var members) = self, case .object(var metadata)? = members["metadata"] else { return self }
        let servers = ["managedFields", "generation", "resourceVersion", "creationTimestamp", "uid", "selfLink"]
        for name in servers { metadata[name] = nil }
        members["metadata"] = .object(metadata)
        members["status"] = nil
        return .object(members)
    }
}
