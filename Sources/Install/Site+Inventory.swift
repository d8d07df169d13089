package import Bundles
import Hosts
import Images

extension Site {
    /// What this site has already, for a bundle that brings only the rest. `program` is the version of jhub-install.
    package func inventory(program: String) async throws -> Inventory {
        let system = try await head.learn(OSRelease())
        var versions = ["jhub-install": program]
        var content: [String: [Digest]] = [:]
        if try await head.has(provider.socket) {
            content[head.name] = try await images.holdings().content.keys.sorted { $0.hex < $1.hex }
        }
        if try await head.has(provider.kubeconfig) {
            let release = HelmRelease(
                name: settings.jhubRelease, namespace: settings.jhubNs, helm: provider.helm, host: head)
            // "jupyterhub-4.2.0"
            if let chart = try await release.state()?.chart, let dash = chart.lastIndex(of: "-") {
                versions[String(chart[..<dash])] = String(chart[chart.index(after: dash)...])
            }
        }
        let packages = try await head.learn(InstalledPackages())
        return Inventory(
            system: BundleDescription.System(id: system.id, version: system.version ?? ""),
            architecture: packages.first { $0.name == "dpkg" }?.architecture ?? "amd64", versions: versions,
            content: content, packages: packages,
            snaps: try await snaps().map { .init(name: $0.name, version: $0.version, revision: $0.revision) })
    }
}

/// The packages that dpkg has installed, whole.
struct InstalledPackages: Fact {
    let command: Command = [
        "dpkg-query", "--show", "--showformat",
        #"${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${Provides}\n"#,
    ]

    func value(of outcome: Outcome) throws(FactError) -> [Inventory.Package] {
        guard outcome.status == 0 else {
            throw FactError("dpkg-query ended with status \(outcome.status): \(outcome.lastWords)")
        }
        var packages: [Inventory.Package] = []
        for line in outcome.output.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 5 else { throw FactError("dpkg-query says '\(line)', which has not 5 fields") }
            guard fields[0] == "installed" else { continue }
            packages.append(
                Inventory.Package(
                    name: fields[1], version: fields[2], architecture: fields[3],
                    provides: fields[4].isEmpty ? nil : fields[4]))
        }
        return packages
    }
}
