import Install
import Kube

/// Where the hub is, and how its admin gets in.
struct Summary {
    var addresses: [String]
    var admins: [String]
    var passwordFile: String?
    var changes: Int?
    /// Nil where nobody asked.
    var trust: BundleTrust?
    /// What preflight found amiss, and was told to go on in spite of.
    var ignored: [Report]

    init(of site: Site, changes: Int?, trust: BundleTrust? = nil, ignored: [Report] = []) async throws {
        addresses = try await site.addresses()
        admins = site.settings.admins
        passwordFile = try await site.passwordFile()
        (self.changes, self.trust, self.ignored) = (changes, trust, ignored)
    }

    func print(asJSON: Bool) {
        let out = Console.standardOutput
        guard !asJSON else {
            var object: [String: JSON] = [
                "event": "done", "addresses": .array(addresses.map { .string($0) }),
                "admins": .array(admins.map { .string($0) }),
            ]
            object["changes"] = changes.map { .int($0) }
            object["bundle"] = trust?.json
            if !ignored.isEmpty { object["ignored"] = ignored.json }
            object["passwordFile"] = passwordFile.map { .string($0) }
            out.line(JSON.object(object).text())
            return
        }
        if let changes {
            out.line(
                changes == 0
                    ? "Everything stands as it should; nothing was changed." : "\(changes.of("change")) made.")
        }
        if let trust { out.line("Bundle:     \(trust.words)") }
        for report in ignored { out.line("Ignored:    \(report.id): \(report.finding.measured)") }
        if let first = admins.first {
            let file = passwordFile.map { "; first password in \($0)" } ?? ""
            out.line("Admin:      \(first)\(file)")
        }
        for address in addresses { out.line("JupyterHub: \(address)") }
    }
}

extension BundleTrust {
    var words: String {
        switch self {
        case .signed(let keys): "signed by \(keys.joined(separator: ", "))"
        case .unsigned: "nobody answers for it (--allow-unsigned)"
        }
    }

    var json: JSON {
        switch self {
        case .signed(let keys): ["signed": true, "keys": .array(keys.map { .string($0) })]
        case .unsigned: ["signed": false]
        }
    }
}
