package import Images

/// The OS packages of a bundle, which have to install without any other source.
package struct PackageSet: Sendable {
    package var packages: [DebianPackage]
    /// What the target has; nil where nobody has told.
    package var installed: [Inventory.Package]?

    package init(_ packages: [DebianPackage], on installed: [Inventory.Package]?) {
        (self.packages, self.installed) = (packages, installed)
    }

    /// What the set takes for granted on the target, sorted; none where the target's inventory is known.
    package func assumptions() throws(BundleFault) -> [String] {
        var lacking: Set<String> = []
        for package in packages {
            for field in ["Pre-Depends", "Depends"] {
                for clause in (package.fields[field] ?? "").split(separator: ",") {
                    let ways = clause.split(separator: "|").compactMap(Relation.init)
                    if ways.isEmpty || ways.contains(where: isMet) { continue }
                    // Another version of it is in the set: no target can mend that.
                    if let wrong = packages.first(where: { other in ways.contains { $0.name == other.name } }) {
                        throw BundleFault(
                            "\(package.path) depends on \(text(clause)), and \(wrong.path) has \(wrong.version): "
                                + "take both from the same release of the distribution")
                    }
                    guard installed == nil else {
                        throw BundleFault(
                            "\(package.path) depends on \(text(clause)), which neither the packages nor the target has: "
                                + "put that package beside it")
                    }
                    lacking.insert(text(clause))
                }
            }
        }
        return lacking.sorted()
    }

    /// What cannot be on one machine together.
    package func check(architecture: String = "amd64") throws(BundleFault) {
        var versions: [String: DebianPackage] = [:]
        for package in packages {
            guard [architecture, "all"].contains(package.architecture) else {
                throw BundleFault("\(package.path) is for \(package.architecture), and the target is \(architecture)")
            }
            if let other = versions.updateValue(package, forKey: package.name) {
                throw BundleFault("\(other.path) and \(package.path) are the same package: keep one of them")
            }
        }
    }

    private func isMet(_ relation: Relation) -> Bool {
        let own = packages.contains { relation.isMet(by: $0.name, $0.version, provides: $0.fields["Provides"]) }
        return own || installed?.contains { relation.isMet(by: $0.name, $0.version, provides: $0.provides) } ?? false
    }

    private func text(_ clause: Substring) -> String {
        clause.split { $0.isWhitespace }.joined(separator: " ")
    }
}

/// One way to meet a dependency: "libc6 (>= 2.36)", "perl:any".
struct Relation: Hashable, Sendable {
    var name: String
    /// "<<", "<=", "=", ">=" or ">>"; empty where any version will do.
    private var relation: String
    private var wanted: String

    init?(_ text: some StringProtocol) {
        let words = text.split { $0.isWhitespace || "()".contains($0) }
        guard let first = words.first, let name = first.split(separator: ":").first else { return nil }
        self.name = String(name)
        let rest = words.dropFirst().joined()
        relation = String(rest.prefix { "<>=".contains($0) })
        wanted = String(rest.dropFirst(relation.count))
    }

    func isMet(by name: String, _ version: String, provides: String?) -> Bool {
        if name == self.name { return fits(version) }
        return (provides ?? "").split(separator: ",").compactMap { Relation($0) }.contains { provided in
            // Without a version it meets only what asks for none.
            provided.name == self.name && (relation.isEmpty || !provided.relation.isEmpty && fits(provided.wanted))
        }
    }

    private func fits(_ version: String) -> Bool {
        relation.isEmpty || PackageVersion(version).stands(relation, to: PackageVersion(wanted))
    }
}
