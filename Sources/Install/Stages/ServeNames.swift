import Kube

/// The cluster's own names are answered, and no question goes to a resolver that the operator did not name.
package struct ServeNames: Stage {
    package let name = "dns"
    package let title = "Serve the cluster's names"
    package let patience = Duration.seconds(300)
    package init() {}

    package func plan(for site: Site) async throws -> Plan {
        let kube: KubeClient
        switch try await site.liveKube() {
        case .failure(let error): return .waits(for: error.description)
        case .success(let client): kube = client
        }
        let provided = try await site.provider.namesPlan(for: site)
        guard provided == .settled else { return provided }
        if let reason = try await Diagnosis.ofOurs("Deployment", "coredns", in: kube) { return .waits(for: reason) }
        return .settled
    }
}

/// CoreDNS' configuration, as far as its upstream goes.
struct Corefile {
    var text: String

    /// The text with the upstream that the operator wants, or without one. A `forward` that a site wrote itself,
    /// to resolvers of its own, is left as it is.
    func forwarding(to upstream: [String], placeholder: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.compactMap { line -> String? in
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.first == "forward", words.count > 2 else { return String(line) }
            let targets = Set(words.dropFirst(2).filter { $0 != "{" })
            guard !targets.isDisjoint(with: Self.publicResolvers) || targets.contains(placeholder) else { return String(line) }
            guard !upstream.isEmpty else { return nil }
            return line.prefix { $0.isWhitespace } + "forward \(words[1]) " + upstream.joined(separator: " ")
        }.joined(separator: "\n")
    }

    /// What MicroK8s falls back to, and others that installers like to write.
    private static let publicResolvers: Set<String> = ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"]
}
