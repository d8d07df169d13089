package import Hosts
package import SystemPackage
import Yams

extension NodeList {
    /// The list on the head; none where there is no file yet.
    package static func standing(on head: Host, at path: FilePath = path) async throws -> NodeList {
        guard let text = try await head.text(of: path) else { return NodeList() }
        return try NodeList(yaml: text, file: path.string)
    }

    /// The file, whole, as it is written at once. What somebody wrote into it as a comment is not kept.
    package func file(at path: FilePath = path) throws -> File {
        var members: [(Node, Node)] = [("nodes", Node(nodes.map(\.node)))]
        if !departed.isEmpty { members.append(("departed", Node(departed.map(\.node)))) }
        let text = try serialize(node: Node(members))
        return File(path, "# Written by jhub-install: the nodes beside the head.\n" + text)
    }

    /// With this node in the place of one of its name, sorted by name.
    package mutating func put(_ entry: NodeEntry) {
        nodes = (nodes.filter { $0.name != entry.name } + [entry]).sorted { $0.name < $1.name }
        departed.removeAll { $0.name == entry.name }
    }

    /// Without the node; kept among the departed where something of ours is left on it.
    package mutating func drop(_ entry: NodeEntry, isClean: Bool) {
        nodes.removeAll { $0.name == entry.name }
        departed.removeAll { $0.name == entry.name }
        if !isClean { departed = (departed + [entry]).sorted { $0.name < $1.name } }
    }
}

extension NodeEntry {
    fileprivate var node: Node {
        var members: [(Node, Node)] = [("name", .text(name)), ("address", .text(address))]
        if port != 22 { members.append(("port", Node("\(port)"))) }
        if user != "root" { members.append(("user", .text(user))) }
        if let hostKey { members.append(("hostKey", .text(hostKey.description))) }
        if let keyFile { members.append(("keyFile", .text(keyFile.string))) }
        if usesSudo { members.append(("sudo", "true")) }
        if !labels.isEmpty {
            let pairs = labels.sorted { $0.key < $1.key }.map { (Node.text($0.key), Node.text($0.value)) }
            members.append(("labels", Node(pairs)))
        }
        return Node(members)
    }
}

extension Node {
    /// Quoted where YAML would take it for a number or a truth.
    fileprivate static func text(_ text: String) -> Node {
        let plain = Node(text, Tag(.implicit))
        let isText = plain.bool == nil && plain.float == nil && plain.null == nil && !text.isEmpty
        return Node(text, Tag(.implicit), isText ? .any : .doubleQuoted)
    }
}
