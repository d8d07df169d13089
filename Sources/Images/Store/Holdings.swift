/// What a content store says that it has.
package struct Holdings: Hashable, Sendable {
    package struct Record: Hashable, Sendable {
        package var digest: Digest
        /// KEY=VALUE each.
        package var labels: Set<String> = []
        /// All its content is there.
        package var isComplete = false
        package var isUnpacked = false

        /// The kubelet's garbage collection spares it.
        package var isPinned: Bool { labels.contains(ImageStore.pin) }
    }

    /// By name, as the store spells it.
    package var records: [String: Record] = [:]
    package var content: Set<Digest> = []

    package init() {}

    /// What it will have once this is loaded: so a plan for many images that
    /// share layers counts each layer once.
    package func adding(_ load: ImageLoad) -> Holdings {
        var sum = self
        sum.content.formUnion(load.image.blobs.map(\.digest))
        for name in load.references {
            let target = load.image.target(for: name)?.blob.digest ?? load.image.target
            sum.records[name.description] = Record(
                digest: target, labels: [ImageStore.pin], isComplete: true, isUnpacked: true)
        }
        return sum
    }
}

extension Holdings {
    /// From the words of `ctr images ls`, `ctr images check` and `ctr content ls -q`.
    init(images: String, check: String, content: String) throws(ImageError) {
        let list = images.split(separator: "\n")
        guard let header = list.first, header.hasPrefix("REF"), let column = header.firstRange(of: "LABELS") else {
            throw Self.unreadable("images ls", images)
        }
        let labels = header.utf8.distance(from: header.startIndex, to: column.lowerBound)
        for line in list.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count >= 3, line.utf8.count > labels else { throw Self.unreadable("images ls", line) }
            let values = String(decoding: line.utf8.dropFirst(labels), as: UTF8.self).split { $0 == "," || $0 == " " }
            records[String(words[0])] = Record(
                digest: try Self.digest(words[2], "images ls", line),
                labels: Set(values.map(String.init).filter { $0 != "-" }))
        }

        // Where there are no images it says nothing at all.
        let checks = check.split(separator: "\n")
        guard records.isEmpty || check.hasPrefix("REF") else { throw Self.unreadable("images check", check) }
        for line in checks.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count >= 5, let last = words.last, ["true", "false"].contains(last) else {
                throw Self.unreadable("images check", line)
            }
            records[String(words[0])]?.isComplete = words[3] == "complete"
            records[String(words[0])]?.isUnpacked = last == "true"
        }
        for line in content.split(separator: "\n") { self.content.insert(try Self.digest(line, "content ls", line)) }
    }

    private static func digest(
        _ text: Substring, _ command: String, _ line: Substring
    ) throws(ImageError) -> Digest {
        do { return try Digest(parsing: String(text)) } catch { throw unreadable(command, line) }
    }

    private static func unreadable(_ command: String, _ said: some StringProtocol) -> ImageError {
        let line = said.split(separator: "\n").first.map { String($0.prefix(200)) } ?? ""
        return ImageError("read the answer of", "ctr \(command)", "it says '\(line)'")
    }
}
