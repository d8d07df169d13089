extension Workers {
    /// What preflight finds on each of them. Nothing is changed.
    package func check(_ entries: [NodeEntry]) async throws -> [(NodeEntry, Result<[Report], NodeFailure>)] {
        let meetings = await sideBySide(entries, atMost: parallel) { await meet($0) }
        let identities = try await known() + meetings.compactMap { try? $0.guest.get().identity }
        return await sideBySide(meetings, atMost: parallel) { meeting in
            switch meeting.guest {
            case .failure(let failure): return (meeting.entry, .failure(failure))
            case .success(let guest):
                let reports = await preflight(of: guest, among: identities)
                await guest.connection.close()
                return (meeting.entry, .success(reports))
            }
        }
    }

    func preflight(of guest: Guest, among identities: [NodeIdentity]) async -> [Report] {
        var others = identities
        if let own = others.firstIndex(of: guest.identity) { others.remove(at: own) }
        let site = site(of: guest)
        return await Preflight.worker(for: site.settings, beside: others).run(on: site, ignoring: ignored)
    }
}
