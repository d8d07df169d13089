import Hosts
import SystemPackage
import Yams

extension NodeList {
    /// Reads the list, or throws all that is wrong with it, each fault with its line.
    package init(yaml: String, file: String) throws(SettingsError) {
        var reader = NodeListReader(file: file)
        let list = reader.list(in: yaml)
        guard reader.faults.isEmpty else { throw SettingsError(reader.faults) }
        self = list
    }
}

private struct NodeListReader {
    var file: String
    var faults: [Fault] = []

    init(file: String) { self.file = file }

    mutating func list(in yaml: String) -> NodeList {
        let root: Node?
        do {
            root = try compose(yaml: yaml)
        } catch let error as YamlError {
            complain("is no YAML: \("\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))", at: nil)
            return NodeList()
        } catch {
            complain("is no YAML: \(error)", at: nil)
            return NodeList()
        }
        // An empty file, or one of comments.
        guard let root, root.null == nil else { return NodeList() }
        guard let members = members(of: root, known: ["nodes", "departed"], what: "the inventory") else {
            return NodeList()
        }
        return NodeList(nodes: entries(members["nodes"]), departed: entries(members["departed"]))
    }

    private mutating func entries(_ node: Node?) -> [NodeEntry] {
        guard let node, node.null == nil else { return [] }
        guard case .sequence(let elements) = node else {
            complain("has to be a list, each with '- name:'", at: node)
            return []
        }
        var (entries, places): ([NodeEntry], [String: Int]) = ([], [:])
        for element in elements {
            guard let entry = entry(element) else { continue }
            for word in Set([entry.name, entry.address]) {
                if let before = places[word] {
                    complain("\(word) stands in line \(before) already", at: element)
                }
                places[word] = element.mark?.line
            }
            entries.append(entry)
        }
        return entries
    }

    private static let keys = ["name", "address", "port", "user", "hostKey", "keyFile", "sudo", "labels"]

    private mutating func entry(_ node: Node) -> NodeEntry? {
        guard let members = members(of: node, known: Self.keys, what: "a node") else { return nil }
        let name = value("name", of: members, in: node, .nodeName)
        let address = value("address", of: members, in: node, .ipv4)
        let hostKey = value("hostKey", of: members, in: node, .fingerprint).flatMap(Fingerprint.init)
        let port = optional("port", of: members, .port) ?? 22
        let user = optional("user", of: members, .login) ?? "root"
        let keyFile = optional("keyFile", of: members, .absolutePath)
        let usesSudo = optional("sudo", of: members, .flag) ?? false
        let labels = labels(members["labels"])
        guard let name, let address, let hostKey else { return nil }
        return NodeEntry(
            name: name, address: address, port: port, user: user, hostKey: hostKey, keyFile: keyFile,
            usesSudo: usesSudo, labels: labels)
    }

    private mutating func labels(_ node: Node?) -> [String: String] {
        guard let node, node.null == nil else { return [:] }
        guard case .mapping(let pairs) = node else {
            complain("labels have to be KEY: VALUE, each in a line of its own", key: "labels", at: node)
            return [:]
        }
        var labels: [String: String] = [:]
        for (key, value) in pairs {
            guard let name = key.scalar?.string, let text = value.scalar?.string else {
                complain("a label is KEY: VALUE", key: "labels", at: key)
                continue
            }
            if let fault = NodeLabel.fault(of: name, text) { complain(fault, key: "labels", at: key) }
            labels[name] = text
        }
        return labels
    }

    /// A mapping by its keys, of which each must be known and stand once.
    private mutating func members(of node: Node, known: [String], what: String) -> [String: Node]? {
        guard case .mapping(let pairs) = node else {
            complain("\(what) has to have keys: \(known.joined(separator: ", "))", at: node)
            return nil
        }
        var members: [String: Node] = [:]
        for (key, value) in pairs {
            let name = key.scalar?.string ?? ""
            guard known.contains(name) else {
                let near = known.first { Settings.distance(name, $0, atMost: 2) <= 2 }
                complain("\(what) has no key '\(name)'" + (near.map { "; is \($0) meant?" } ?? ""), at: key)
                continue
            }
            members[name] = value
        }
        return members
    }

    private mutating func value<Value>(
        _ key: String, of members: [String: Node], in node: Node, _ kind: Settings.Kind<Value>
    ) -> Value? {
        guard members[key] != nil else {
            complain("is missing: \(kind.form)", key: key, at: node)
            return nil
        }
        return optional(key, of: members, kind)
    }

    private mutating func optional<Value>(
        _ key: String, of members: [String: Node], _ kind: Settings.Kind<Value>
    ) -> Value? {
        guard let node = members[key] else { return nil }
        guard let text = node.scalar?.string else {
            complain("has to be \(kind.form)", key: key, at: node)
            return nil
        }
        do throws(Settings.Complaint) {
            return try kind.read(text)
        } catch {
            complain(error.reason, key: key, at: node)
            return nil
        }
    }

    private mutating func complain(_ reason: String, key: String? = nil, at node: Node?) {
        faults.append(Fault(file: file, line: node?.mark?.line, key: key, reason))
    }
}

extension Settings.Kind where Value == String {
    /// The host name of a node, as preflight wants it.
    static var nodeName: Self {
        text("a host name") { name in RightHostname.fault(of: name).map { "'\(name)' \($0)" } }
    }

    /// MicroK8s' join takes nothing else.
    static var ipv4: Self {
        text("an IPv4 address") { Settings.Naming.isIPv4($0[...]) ? nil : "'\($0)' is not an IPv4 address" }
    }

    static var fingerprint: Self {
        text("a host key's fingerprint, SHA256:…") { text in
            Fingerprint(text) != nil
                ? nil
                : "'\(text)' is not a fingerprint as 'jhub-install nodes scan' prints it: SHA256:… with 43 letters"
        }
    }

    static var login: Self {
        text("a user's name") { text in
            text.isEmpty || text.hasPrefix("-") || text.contains { $0.isWhitespace || "@:/'\"".contains($0) }
                ? "'\(text)' is not a user's name" : nil
        }
    }
}

extension Settings.Kind where Value == FilePath {
    static var absolutePath: Self {
        var kind = path
        let read = kind.read
        kind.read = { text throws(Settings.Complaint) in
            let path = try read(text)
            guard path.isAbsolute else { throw Settings.Complaint("'\(text)' has to begin with /") }
            return path
        }
        return kind
    }
}

/// A label of a Node.
package enum NodeLabel {
    /// Why Kubernetes would not take it, or nil. Keys have an optional prefix: "example.com/rack".
    package static func fault(of key: String, _ value: String) -> String? {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        let isKey =
            parts.count <= 2 && isName(parts[parts.count - 1])
            && (parts.count == 1 || Settings.Naming.isHost(String(parts[0])))
        if !isKey { return "'\(key)' is not a label's key, such as rack or example.com/rack" }
        return value.isEmpty || isName(value[...])
            ? nil : "'\(value)' is not a label's value: letters, digits, - _ . inside, at most 63"
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 63 else { return false }
        return Settings.Naming.isWord(first) && Settings.Naming.isWord(last)
            && text.utf8.allSatisfy { Settings.Naming.isWord($0) || "-_.".utf8.contains($0) }
    }
}
