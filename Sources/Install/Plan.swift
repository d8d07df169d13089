package import Hosts
package import Images
package import Kube
package import SystemPackage

/// What a stage would do, as data: it can be printed, compared and carried out.
package enum Plan: Hashable, Sendable {
    case settled
    case changes([Change])
    /// Nothing to do here, and not there yet: an earlier stage has first to
    /// make this, or the cluster is still at it. The text names the cause.
    case waits(for: String)
}

/// One thing to be made so.
package struct Change: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        /// With a test the old file comes back where the test fails.
        case write(File, test: Command? = nil)
        case make(Directory)
        case remove(FilePath)
        /// `undo` takes it back; it stands in the record for an uninstall.
        case run(Command, undo: Command? = nil)
        case apply(Manifest)
        case delete(Manifest)
        case load(ImageLoad)
        /// Takes an image away, by all names that the node has for it.
        case unload([String])
        /// A file of the head is put on the node.
        case send(FilePath, to: FilePath, FilePermissions = .ownerReadWrite)
        case join(Join)
        /// A user's server is ended by the hub.
        case stop(UserServer)
    }

    package var action: Action
    /// Why, in the operator's words: "its clock is not kept".
    package var reason: String

    package init(_ action: Action, because reason: String) {
        (self.action, self.reason) = (action, reason)
    }
}

/// One step of the installation.
///
/// A stage looks and says what is missing; the installer makes the changes
/// and asks again. A stage that is done plans nothing, and that is all there
/// is to running the installer twice.
package protocol Stage: Sendable {
    /// What `--only` and `--from` take: "host", "cluster".
    var name: String { get }
    /// A sentence: "Prepare the host".
    var title: String { get }
    /// How long it may wait for the cluster before the installer gives up and names the cause.
    var patience: Duration { get }
    /// The objects whose changes tell that it is worth asking again; nil: time alone does.
    var watched: String? { get }
    func plan(for site: Site) async throws -> Plan
    /// What may be behind a wait that was in vain, beyond what the plan said; asked once, at the end of its patience.
    func trouble(on site: Site) async -> String?
}

extension Stage {
    package func trouble(on site: Site) async -> String? { nil }
    package var patience: Duration { .zero }
    package var watched: String? { nil }
}

extension Plan {
    /// The changes, or settled where there are none.
    package static func of(_ changes: [Change]) -> Plan { changes.isEmpty ? .settled : .changes(changes) }
}
