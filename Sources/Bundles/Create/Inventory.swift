import FoundationEssentials
package import Images

/// What a site has already, as `jhub-install inventory export` writes it and `bundle create --have` reads it.
package struct Inventory: Codable, Hashable, Sendable {
    package static let currentFormat = 1

    package struct Package: Codable, Hashable, Sendable {
        package var name: String
        package var version: String
        package var architecture: String
        /// What else it answers to, as dpkg writes it.
        package var provides: String?

        package init(name: String, version: String, architecture: String, provides: String? = nil) {
            (self.name, self.version) = (name, version)
            (self.architecture, self.provides) = (architecture, provides)
        }
    }

    package struct Snap: Codable, Hashable, Sendable {
        package var name: String
        package var version: String
        package var revision: String
        package init(name: String, version: String, revision: String) {
            (self.name, self.version, self.revision) = (name, version, revision)
        }
    }

    package var format = Self.currentFormat
    package var system: BundleDescription.System
    /// As dpkg calls it: "amd64".
    package var architecture: String
    /// Of what is installed: "jhub-install", "jupyterhub".
    package var versions: [String: String]
    /// By the name of the node: what its content store has, sorted.
    package var content: [String: [Digest]]
    package var packages: [Package]
    package var snaps: [Snap]

    package init(
        system: BundleDescription.System, architecture: String, versions: [String: String],
        content: [String: [Digest]], packages: [Package], snaps: [Snap]
    ) {
        (self.system, self.architecture, self.versions) = (system, architecture, versions)
        (self.content, self.packages, self.snaps) = (content, packages, snaps)
    }

    package init(parsing text: [UInt8], of file: String) throws(BundleFault) {
        do { self = try JSONDecoder().decode(Self.self, from: Data(text)) } catch {
            throw BundleFault("could not read \(file): it is no inventory as 'jhub-install inventory export' writes it")
        }
        guard format == Self.currentFormat else {
            throw BundleFault(
                "could not read \(file): it has format \(format), and this program reads \(Self.currentFormat)")
        }
    }

    /// Equal inventories have equal texts.
    package func text() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try Array(encoder.encode(self)) + Array("\n".utf8)
    }

    /// What every node has: what only one has another would lack.
    package var everywhere: Set<Digest> {
        var stores = content.values.map(Set.init)[...]
        guard let first = stores.popFirst() else { return [] }
        return stores.reduce(first) { $0.intersection($1) }
    }
}
