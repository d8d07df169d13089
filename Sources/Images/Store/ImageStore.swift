package import Hosts

/// The images of one node's containerd.
package struct ImageStore: Sendable {
    package var host: Host
    /// `ctr` with what it needs to find the right containerd and namespace,
    /// such as ["/snap/bin/microk8s", "ctr"] or ["ctr", "-a", SOCKET, "-n", "k8s.io"].
    package var command: [String]

    /// The label that keeps the kubelet's garbage collection away (containerd 1.7 on).
    static let pin = "io.cri-containerd.pinned=pinned"

    package init(host: Host, command: [String]) {
        (self.host, self.command) = (host, command)
    }

    /// Asks the store; nothing is remembered.
    package func holdings() async throws -> Holdings {
        async let images = ask(["images", "ls"])
        // It exits 1 when one image lacks its manifest, and says the rest all the same.
        async let check = ask(["images", "check"], toleratingFailure: true)
        async let content = ask(["content", "ls", "-q"])
        return try await Holdings(images: images, check: check, content: content)
    }

    /// What has to be done for the image to stand whole, unpacked and pinned
    /// under these names (its own, where none are given), or nil.
    package func lacks(
        _ image: ArchivedImage, as references: [ImageReference] = [], in holdings: Holdings
    ) -> ImageLoad? {
        let names = references.isEmpty ? image.names : references
        let missing = image.blobs.filter { !holdings.content.contains($0.digest) }
        var lacks: Set<ImageLoad.Lack> = missing.isEmpty ? [] : [.content]
        for name in names {
            let target = image.target(for: name)?.blob.digest
            guard let record = holdings.records[name.description], record.digest == target else {
                lacks.insert(.name)
                continue
            }
            if !record.isComplete { lacks.insert(.content) }
            if !record.isUnpacked { lacks.insert(.unpacking) }
            if !record.isPinned { lacks.insert(.pin) }
        }
        if names.isEmpty || lacks.isEmpty { return nil }
        return ImageLoad(image: image, references: names, missing: missing, lacks: lacks)
    }

    func ask(_ arguments: [String], toleratingFailure: Bool = false) async throws -> String {
        let outcome = try await host.transport.run(Command(command + arguments))
        if outcome.status != 0, !(toleratingFailure && outcome.output.hasPrefix("REF")) {
            throw failure("ask", "ctr \(arguments.joined(separator: " "))", outcome)
        }
        return outcome.output
    }

    func failure(_ attempt: String, _ object: String, _ outcome: Outcome) -> ImageError {
        // ctr logs first and says last what was wrong.
        let words = (outcome.errors + "\n" + outcome.output).split(separator: "\n")
        let last = outcome.errors.split(separator: "\n").last ?? words.last ?? "it said nothing"
        let reason = last.hasPrefix("ctr: ") ? last.dropFirst(5) : last
        return ImageError(attempt, "\(object) on \(host.name)", "\(reason) (exit status \(outcome.status))")
    }
}
