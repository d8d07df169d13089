import Images
import Kube

extension Wanted {
    /// Adds what an object of the cluster runs, and what it names for pods that others make of it later.
    mutating func add(_ object: JSON, of origin: String) {
        let manifest = Manifest(object)
        var need = "\(origin): \(manifest.kind) \(manifest.name)"
        if object[["metadata", "annotations", "helm.sh/hook"]] != nil { need += " (hook)" }
        addContainers(in: object, of: need)
        // KubeSpawner makes the users' pods of the values, which the chart hands to the hub in a Secret.
        guard manifest.kind == "Secret" else { return }
        let carried = object[["data", "values.yaml"]]?.string.flatMap(Base64.decoded)
        let plain = object[["stringData", "values.yaml"]]?.string.map { Array($0.utf8) }
        guard let text = carried ?? plain else { return }
        do {
            addServers(try JSON(yaml: String(decoding: text, as: UTF8.self)), of: origin)
        } catch {
            doubts.append("\(need): its values.yaml could not be read: \(error)")
        }
    }

    /// Containers of every list, at any depth: of a Pod, a Deployment, a CronJob, or something that others define.
    private mutating func addContainers(in value: JSON, of need: String) {
        for element in value.array ?? [] { addContainers(in: element, of: need) }
        for (key, member) in (value.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            if let words = Self.lists[key] {
                for container in member.array ?? [] { add(container: container, of: need, as: words) }
            }
            if key == "volumes" {
                for volume in member.array ?? [] {
                    if let image = volume[["image", "reference"]]?.string {
                        add(text: image, for: "\(need), a volume")
                    }
                }
            }
            addContainers(in: member, of: need)
        }
    }

    private static let lists = [
        "containers": "", "initContainers": ", init container", "ephemeralContainers": ", ephemeral container",
        "init_containers": ", init container", "extraContainers": ", container", "extra_containers": ", container",
    ]

    private mutating func add(container: JSON, of need: String, as words: String) {
        let need = words.isEmpty ? need : "\(need)\(words) \(container["name"]?.string ?? "")"
        if let image = container["image"]?.string { add(text: image, for: need) }
        // A program that starts pods of its own is told their image: BUSYBOX_IMAGE=…, --pause-image=….
        let environment = (container["env"]?.array ?? []).compactMap { variable in
            variable["value"]?.string.map { "\(variable["name"]?.string ?? "")=\($0)" }
        }
        let arguments = ["command", "args"].flatMap { container[$0]?.array ?? [] }.compactMap(\.string)
        for word in environment + arguments {
            let halves = word.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, !halves[0].contains(where: \.isWhitespace),
                halves[0].lowercased().hasSuffix("image"),
                let reference = try? ImageReference(parsing: String(halves[1]))
            else { continue }
            add(reference, for: need)
        }
    }

    /// The images that users' servers may have, as the chart's values name them.
    private mutating func addServers(_ values: JSON, of origin: String) {
        guard var servers = values["singleuser"]?.object else { return }
        // Its one container is there for this only.
        if values[["singleuser", "cloudMetadata", "blockWithIptables"]]?.bool != true { servers["networkTools"] = nil }
        addImages(in: .object(servers), of: "\(origin): singleuser")
        if let config = values[["hub", "config"]] { addImages(in: config, of: "\(origin): hub.config") }
    }

    /// `image: NAME` and `image: {name: NAME, tag: TAG}`, at any depth.
    private mutating func addImages(in value: JSON, of path: String) {
        for element in value.array ?? [] { addImages(in: element, of: path) }
        for (key, member) in (value.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            if key == "image", let text = member.string {
                add(text: text, for: path)
            } else if key == "image", let name = member["name"]?.string, let tag = member["tag"] {
                add(text: "\(name):\(tag.string ?? tag.text())", for: "\(path).image")
            } else {
                addImages(in: member, of: "\(path).\(key)")
            }
        }
    }

    private mutating func add(text: String, for need: String) {
        do {
            add(try ImageReference(parsing: text), for: need)
        } catch {
            doubts.append("\(need): \(error)")
        }
    }
}
