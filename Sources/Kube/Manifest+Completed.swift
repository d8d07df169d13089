import struct FoundationEssentials.Data

extension Manifest {
    /// The object as the API server wants it for an apply: a port's protocol
    /// is part of its key in lists and 1.20 does not fill it in, and a
    /// Secret's `stringData` would stay behind when a key leaves it.
    var completed: JSON {
        guard case .object(var members) = object else { return object }
        switch kind {
        case "Service":
            members["spec"] = members["spec"]?.replacing("ports") { $0.withProtocols }
        case "Secret":
            guard let texts = members.removeValue(forKey: "stringData")?.object else { break }
            let encoded = texts.mapValues { JSON.string(Data(($0.string ?? $0.text()).utf8).base64EncodedString()) }
            members["data"] = .object((members["data"]?.object ?? [:]).merging(encoded) { $1 })
        case "Pod":
            members["spec"] = members["spec"]?.withContainerProtocols
        default:
            members["spec"] = members["spec"]?.replacing("template") { template in
                template.replacing("spec") { $0.withContainerProtocols }
            }
        }
        return .object(members)
    }
}

extension JSON {
    fileprivate func replacing(_ key: String, _ change: (JSON) -> JSON) -> JSON {
        guard case .object(var members) = self, let value = members[key] else { return self }
        members[key] = change(value)
        return .object(members)
    }

    fileprivate var withProtocols: JSON {
        guard case .array(let ports) = self else { return self }
        return .array(
            ports.map { port in
                guard case .object(let members) = port else { return port }
                return .object(members.merging(["protocol": "TCP"]) { stated, _ in stated })
            })
    }

    fileprivate var withContainerProtocols: JSON {
        ["containers", "initContainers"].reduce(self) { spec, list in
            spec.replacing(list) { containers in
                guard case .array(let all) = containers else { return containers }
                return .array(all.map { $0.replacing("ports") { $0.withProtocols } })
            }
        }
    }
}
