import Kube
import Synchronization

extension Workers {
    /// Of those that came in, and of those that have to be told; the notes say whom of the other nodes they could not be told.
    package struct Outcome: Sendable {
        package var results: [NodeResult]
        package var notes: [String]
    }

    /// A machine whose name is not known yet has its address in its place.
    package func add(_ entries: [NodeEntry]) async throws -> Outcome {
        guard site.settings.clusterProvider == .microk8s else {
            throw InstallError.refused(
                "the cluster is somebody else's (CLUSTER_PROVIDER=existing): add nodes to it with its own tools")
        }
        if case .failure(let error) = try await site.liveKube() {
            throw InstallError.refused("\(error): bring the head up first with 'jhub-install'")
        }
        let meetings = await sideBySide(entries, atMost: parallel) { await meet($0) }
        let guests = meetings.compactMap { try? $0.guest.get() }
        let identities = try await known() + guests.map(\.identity)
        let results = await sideBySide(meetings, atMost: parallel) { meeting in
            switch meeting.guest {
            case .failure(let failure): NodeResult(entry: meeting.entry, outcome: .failure(failure))
            case .success(let guest): await admit(guest, among: identities)
            }
        }
        let notes = try await introduce(guests)
        for guest in guests { await guest.connection.close() }
        return Outcome(results: results, notes: notes)
    }
}

extension Workers {
    /// From whom a newcomer must differ.
    func known() async throws -> [NodeIdentity] {
        let head = try await NodeIdentity.of(site.head, at: try await NodeAddress.of(site))
        return [head] + (try await site.kube().list("/api/v1/nodes").compactMap { NodeIdentity($0) })
    }

    private func admit(_ guest: Guest, among identities: [NodeIdentity]) async -> NodeResult {
        let stage = Mutex("plan")
        let began = { @Sendable (name: String) in stage.withLock { $0 = name } }
        do {
            let site = site(of: guest)
            var made = 0
            let lacks = try await !unsettled(on: site, atMost: 1).isEmpty
            if lacks {
                began("preflight")
                let reports = await preflight(of: guest, among: identities)
                checked(guest.entry.name, reports)
                if reports.contains(where: \.stops) { throw NodeFailure(preflight: reports.filter(\.stops)) }
                made += try await carryOut(sequence.before, on: site, began: began)
                made += try await turnstile.pass { try await join(guest, on: site, began: began) }
                made += try await carryOut(sequence.after, on: site, began: began)
            }
            made += try await turnstile.pass {
                // All of it is asked again: the join has replaced some of what was made before, and others have come in.
                let made = lacks ? try await carryOut(try await unsettled(on: site), on: site, began: began) : 0
                began("inventory")
                try await enter(guest.entry)
                return made
            }
            return NodeResult(entry: guest.entry, outcome: .success(made))
        } catch {
            let stage = stage.withLock(\.self)
            return NodeResult(
                entry: guest.entry, outcome: .failure(NodeFailure(error, in: stage, isUntouched: stage == "plan")))
        }
    }

    /// The first stages that have something to do.
    private func unsettled(on site: Site, atMost most: Int = .max) async throws -> [any Stage] {
        var unsettled: [any Stage] = []
        for stage in sequence.stages where unsettled.count < most {
            if try await stage.plan(for: site) != .settled { unsettled.append(stage) }
        }
        return unsettled
    }

    /// The head knows the newcomer's name before the join, and forgets it where that fails.
    private func join(_ guest: Guest, on site: Site, began: @escaping @Sendable (String) -> Void) async throws -> Int {
        _ = try await carryOut([NameHosts(newcomer: guest.entry)], on: self.site)
        do {
            return try await carryOut(sequence.join, on: site, began: began)
        } catch {
            _ = try await carryOut([NameHosts()], on: self.site)
            throw error
        }
    }

    private func enter(_ entry: NodeEntry) async throws {
        var list = try await NodeList.standing(on: site.head)
        list.put(entry)
        _ = try await carryOut([KeepInventory(list)], on: site)
    }

    /// Who came in knows those who came in before; now all get to know all. Comes back with whom that could not be told.
    func introduce(_ guests: [Guest]) async throws -> [String] {
        _ = try await carryOut([NameHosts()], on: site)
        let listed = try await NodeList.standing(on: site.head).nodes
        return await sideBySide(listed, atMost: parallel) { entry -> String? in
            do {
                // Not by the name alone, which a stranger may have, too.
                let known = guests.first { ($0.entry.name, $0.entry.address) == (entry.name, entry.address) }
                if let guest = known {
                    _ = try await carryOut([NameHosts()], on: site(of: guest))
                } else {
                    let guest = try await greet(entry)
                    _ = try await carryOut([NameHosts()], on: site(of: guest))
                    await guest.connection.close()
                }
                return nil
            } catch {
                return "\(entry.name) could not be told of the other nodes' names: \(error); run add-node again"
            }
        }.compactMap(\.self)
    }
}

extension NodeFailure {
    init(preflight stopping: [Report]) {
        self.init(
            stage: "preflight",
            reasons: stopping.map { report in
                "\(report.id): \(report.finding.measured)" + (report.finding.fix.map { " (\($0))" } ?? "")
            },
            next: "mend that, and run the same command again", isUntouched: true)
    }
}
