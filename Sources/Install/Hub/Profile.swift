import Kube
import SystemPackage

import class Foundation.FileManager

/// A size of server that users choose from; one file each in `profiles/`.
///
///     name: Small
///     description: For writing and small data
///     default: true
///     cpu: {share: 0.25, atMost: 2}
///     memory: {share: 0.25, atMost: 8Gi}
struct Profile {
    var file: String
    var name: String
    var description: String
    var isDefault: Bool
    var image: String?
    var cpu: Amount
    var memory: Amount

    /// A part of the largest node, and a bound. Cores, and bytes.
    struct Amount {
        var share: Double
        var atMost: Double
        func of(_ whole: Double) -> Double { min(atMost, share * whole) }
    }

    init(yaml: String, file: String) throws {
        func fault(_ what: String) -> InstallError { .refused("the profile \(file): \(what)") }
        let object: JSON
        do { object = try JSON(yaml: yaml) } catch { throw fault("\(error)") }
        guard let members = object.object else { throw fault("is not a map") }
        let known: Set = ["name", "description", "default", "image", "cpu", "memory"]
        if let stranger = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw fault("has the key '\(stranger)', which is none of \(known.sorted().joined(separator: ", "))")
        }
        guard let name = object["name"]?.string else { throw fault("has no name") }
        func amount(_ key: String) throws -> Amount {
            guard let share = object[[key, "share"]]?.number, share > 0, share <= 1 else {
                throw fault("\(key).share must be above 0 and at most 1")
            }
            let bound = object[[key, "atMost"]]
            guard let bound else { return Amount(share: share, atMost: .infinity) }
            guard let quantity = Quantity(bound.string ?? bound.text()) else {
                throw fault("\(key).atMost is no amount")
            }
            return Amount(share: share, atMost: Double(quantity.millis) / 1000)
        }
        (self.file, self.name, description) = (file, name, object["description"]?.string ?? "")
        (isDefault, image) = (object["default"]?.bool ?? false, object["image"]?.string)
        (cpu, memory) = (try amount("cpu"), try amount("memory"))
    }

    /// As KubeSpawner wants it, for a cluster whose largest node has so much.
    /// Cores in halves and memory in whole MiB, so that a node's small changes do not change the hub.
    func spawnerProfile(on node: NodeSize) -> JSON {
        let cores = max(0.5, (cpu.of(node.cores) * 2).rounded(.down) / 2)
        let mebibytes = max(256, Int(memory.of(node.bytes) / 1_048_576) / 256 * 256)
        var overrides: [String: JSON] = [
            "cpu_limit": .double(cores), "cpu_guarantee": .double(cores / 10),
            "mem_limit": .string("\(mebibytes)M"), "mem_guarantee": .string("\(mebibytes / 4)M"),
        ]
        if let image { overrides["image"] = .string(image) }
        var profile: [String: JSON] = [
            "display_name": .string(name), "slug": .string(slug), "kubespawner_override": .object(overrides),
            "description": .string(
                "\(description.isEmpty ? "" : description + ": ")\(cores.plain) cores, \(mebibytes) MiB"),
        ]
        if isDefault { profile["default"] = true }
        return .object(profile)
    }

    private var slug: String { String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }) }
}

/// What the largest node offers to pods.
struct NodeSize: Equatable {
    var cores: Double
    var bytes: Double

    static func largest(in kube: KubeClient) async throws -> NodeSize {
        let nodes = try await kube.list("/api/v1/nodes")
        func most(_ key: String) -> Double {
            nodes.filter { $0[["spec", "unschedulable"]]?.bool != true }
                .compactMap { $0[["status", "allocatable", key]]?.string.flatMap(Quantity.init) }
                .map { Double($0.millis) / 1000 }.max() ?? 0
        }
        return NodeSize(cores: most("cpu"), bytes: most("memory"))
    }
}

extension Profile {
    /// The files of `profiles/`, in the order of their names.
    static func all(in root: FilePath) throws -> [Profile] {
        let folder = root.appending("profiles")
        guard let all = try? FileManager.default.contentsOfDirectory(atPath: folder.string) else {
            throw InstallError.refused("could not read the folder \(folder): name the one above it with --root DIR")
        }
        let names = all.filter { $0.hasSuffix(".yaml") }
        return try names.sorted().map { name in
            let bytes = FileManager.default.contents(atPath: folder.appending(name).string) ?? .init()
            return try Profile(yaml: String(decoding: bytes, as: UTF8.self), file: name)
        }
    }
}

extension JSON {
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

extension Double {
    /// "2" and "1.5".
    fileprivate var plain: String { self == rounded() ? String(Int(self)) : String(self) }
}
