import Hosts
import SystemPackage

/// What is done with the machines beside the head: many side by side, each with its own order of stages. One that fails
/// stops none of the others.
package struct Workers: Sendable {
    package typealias Opening = @Sendable (NodeEntry) async throws -> any NodeConnection

    /// The head's.
    package var site: Site
    package var open: Opening
    /// Carries out what the stages plan; its own stages and report are not used.
    package var installer: Installer
    /// How many machines are worked on at a time.
    package var parallel: Int
    package var sequence = Sequences.worker
    /// Checks of preflight that stop nobody.
    package var ignored: Set<String> = []
    package var report: @Sendable (_ node: String, Event) -> Void = { _, _ in }
    package var checked: @Sendable (_ node: String, [Report]) -> Void = { _, _ in }
    let turnstile = Turnstile()

    package init(site: Site, installer: Installer, parallel: Int, open: @escaping Opening) {
        (self.site, self.installer, self.parallel, self.open) = (site, installer, parallel, open)
    }
}

extension Workers {
    /// A machine that can be spoken to.
    struct Guest: Sendable {
        var entry: NodeEntry
        var connection: any NodeConnection
        var identity: NodeIdentity
    }

    struct Meeting: Sendable {
        var entry: NodeEntry
        var guest: Result<Guest, NodeFailure>
    }

    func meet(_ entry: NodeEntry) async -> Meeting {
        do {
            return Meeting(entry: entry, guest: .success(try await greet(entry)))
        } catch {
            return Meeting(entry: entry, guest: .failure(NodeFailure(error, in: "connect", isUntouched: true)))
        }
    }

    func greet(_ entry: NodeEntry) async throws -> Guest {
        let connection = try await open(entry)
        let host = Host(name: entry.name, transport: connection)
        let identity = try await NodeIdentity.of(host, at: entry.address)
        guard [entry.address, identity.name].contains(entry.name) else {
            throw InstallError.refused(
                "the machine at \(entry.address) is called \(identity.name), and the inventory has it as \(entry.name)")
        }
        var named = entry
        named.name = identity.name
        try await Lock.refuseOrphans(on: Host(name: named.name, transport: connection))
        return Guest(entry: named, connection: connection, identity: identity)
    }

    func site(of guest: Guest) -> Site {
        var site = site
        site.worker = Worker(host: Host(name: guest.entry.name, transport: guest.connection), entry: guest.entry)
        site.images = RemoteImages(on: guest.entry.name, over: guest.connection, at: site.provider.socket)
        return site
    }

    func carryOut(
        _ stages: [any Stage], on site: Site, began: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Int {
        var installer = installer
        installer.stages = stages
        let (name, report) = (site.node.name, report)
        installer.report = { event in
            if case .began(let stage, _, _, _) = event { began(stage) }
            report(name, event)
        }
        return try await installer.run(on: site)
    }
}

extension Workers {
    /// Where the volumes of users are kept on a machine that is no node any more.
    package static var keptVolumes: String { CleanMachine.kept.string }
}
