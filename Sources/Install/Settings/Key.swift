import SystemPackage

extension Settings {
    /// One key of the file: all that the program, its messages and the guide know of it.
    package struct Key<Value: Sendable>: AnyKey {
        package let name: String
        package let kind: Kind<Value>
        /// As one would write it; `${NAME}` takes another key's value.
        package let standard: String
        package let use: Use
        package let isSecret: Bool
        package let meaning: String

        init(
            _ name: String, _ kind: Kind<Value>, default standard: String = "", _ use: Use,
            secret isSecret: Bool = false,
            _ meaning: String
        ) {
            (self.name, self.kind, self.standard) = (name, kind, standard)
            (self.use, self.isSecret, self.meaning) = (use, isSecret, meaning)
        }
    }

    /// A key whose type does not matter.
    package protocol AnyKey: Sendable {
        var name: String { get }
        var standard: String { get }
        var use: Use { get }
        var isSecret: Bool { get }
        var meaning: String { get }
        /// What a value has to be, in words: "a port, 1 to 65535".
        var form: String { get }
        /// The value that the text stands for, and how one would write it.
        func read(_ text: String) throws(Complaint) -> (value: any Sendable, text: String)
        var blank: any Sendable { get }
        var isPath: Bool { get }
    }

    /// What becomes of a key.
    package enum Use: Hashable, Sendable {
        /// The stage that acts on it.
        case stage(Room)
        /// It belongs to something that this release has not; the switch is the key that asks for it.
        case later(Feature, isSwitch: Bool = false)
        /// It does nothing any more, for this reason.
        case ignored(String)
        /// The old name of another key.
        case renamed(to: String)

        static let preflight = stage(.preflight)
        static let cluster = stage(.cluster)
        static let images = stage(.images)
        static let network = stage(.network)
        static let dns = stage(.dns)
        static let storage = stage(.storage)
        static let hub = stage(.hub)
        static let access = stage(.access)
        static let agent = stage(.agent)
    }

    package enum Room: String, Sendable { case preflight, cluster, images, network, dns, storage, hub, access, agent }

    /// What a later release brings.
    package enum Feature: String, Sendable, CaseIterable {
        case gpu = "the GPU Operator"
        case infiniBand = "InfiniBand"
        case mpi = "the MPI Operator"
        case mig = "MIG"
        case portal = "the usage portal"
        case ingress = "an Ingress"
        case workers = "adding nodes from the config"
        case ubilink = "login by Ubilink"
        case adminPort = "a port for the admin's own server"
        case pages = "pages of one's own"
        case monitors = "the users' monitors"
        case healing = "the health timer"
    }
}

extension Settings.Key {
    package var form: String { kind.form }
    package var blank: any Sendable { kind.blank }
    package var isPath: Bool { kind.isPath }
    package func read(_ text: String) throws(Settings.Complaint) -> (value: any Sendable, text: String) {
        let value = try kind.read(text)
        return (value, kind.write(value))
    }
}

extension Settings.AnyKey {
    /// A secret may stand in a file of its own instead, which jhub.env then names.
    var fileVariant: Settings.Key<FilePath?> {
        Settings.Key(name + "_FILE", .optional(.path), use, "A file with \(name) in it, instead of the text itself.")
    }
}
