import Kube

/// The cluster's own names are answered, and no question goes to a resolver that the operator did not name.
package struct ServeNames: ClusterStage {
    package let name = "dns"
    package let title = "Serve the cluster's names"
    package let patience = Duration.seconds(300)
    package init() {}

    func plan(for site: Site, in kube: KubeClient) async throws -> Plan {
        let provided = try await site.provider.namesPlan(for: site)
        guard provided == .settled else { return provided }
        if let reason = try await Diagnosis.ofOurs("Deployment", "coredns", in: kube) { return .waits(for: reason) }
        return .settled
    }
}

/// CoreDNS' configuration, as far as its upstream goes.
struct Corefile {
    var text: String

    /// The text with the upstream that the operator wants. Without one, resolvers that nobody asked for go,
    /// and a `forward` that a site wrote itself, to resolvers of its own, is left as it is.
    func forwarding(to upstream: [String], placeholder: String) -> String {
        var lines: [String] = []
        /// How many braces are open; how many were when a block began that is left out.
        var (depth, dropped): (Int, Int?) = (0, nil)
        var (zones, forwards): (Set<String>, Bool) = ([], false)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            let (opens, closes) = (words.last == "{", words == ["}"])
            if depth == 0, opens { (zones, forwards) = (Set(words.dropLast()), false) }
            if closes { depth -= 1 }
            let isRoot = !zones.isDisjoint(with: Self.root)
            if closes, depth == 0, isRoot, !forwards, !upstream.isEmpty {
                lines.append("    forward . " + upstream.joined(separator: " "))
            }
            if let start = dropped {
                if closes, depth == start { dropped = nil }
            } else if words.first == "forward", words.count > 2,
                let wanted = wanted(in: words, isRoot: isRoot, upstream: upstream, placeholder: placeholder)
            {
                if words[1] == "." { forwards = true }
                if !wanted.isEmpty { lines.append(line.prefix { $0.isWhitespace } + wanted + (opens ? " {" : "")) }
                if wanted.isEmpty, opens { dropped = depth }
            } else {
                if words.starts(with: ["forward", "."]) { forwards = true }
                lines.append(String(line))
            }
            if opens { depth += 1 }
        }
        return lines.joined(separator: "\n")
    }

    /// What is to stand in the place of a `forward`: nothing, where it goes; nil where it stays as it is.
    private func wanted(in words: [String], isRoot: Bool, upstream: [String], placeholder: String) -> String? {
        let targets = words.dropFirst(2).filter { $0 != "{" }
        let isForeign = !Self.publicResolvers.isDisjoint(with: targets) || targets.contains(placeholder)
        if upstream.isEmpty { return isForeign ? "" : nil }
        guard isForeign || isRoot && words[1] == ".", targets != upstream else { return nil }
        return "forward \(words[1]) " + upstream.joined(separator: " ")
    }

    /// The server block for every name that no other is for.
    private static let root: Set<String> = [".", ".:53"]

    /// What MicroK8s falls back to, and others that installers like to write.
    private static let publicResolvers: Set<String> = ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"]
}
