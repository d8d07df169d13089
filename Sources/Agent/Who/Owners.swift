import GPUs
package import SystemPackage

/// Finds out whom processes work for, from the files of this node alone: the API server need not answer.
///
///     /proc/PID/cgroup                                       container, pod's UID
///     STATE/io.containerd.runtime.v2.task/k8s.io/ID/config.json   pod, namespace, user   (root)
///     /var/log/pods/NAMESPACE_POD_UID/                       pod, namespace, where the first is not there
package struct Owners: Sendable {
    package struct Places: Sendable {
        package var proc: FilePath = "/proc"
        package var podLogs: FilePath = "/var/log/pods"
        /// Of MicroK8s, of a containerd of its own, of k3s and RKE2.
        package var containerdStates: [FilePath] = [
            "/var/snap/microk8s/common/run/containerd", "/run/containerd", "/run/k3s/containerd",
        ]
        package init() {}
    }

    /// More containers than a node ever runs at once (the kubelet's default is 110 pods).
    private static let mostKnown = 4096

    private let places: Places
    /// Only what stands in this namespace is JupyterHub's: elsewhere anybody may call a variable JUPYTERHUB_USER.
    private let hubNamespace: String
    private var known: [CgroupPath: Owner] = [:]
    /// Who was found when the GPUs told this; a process stays in its container.
    private var last: (gpus: [GPUReport], owners: [ProcessOwner])?

    package init(hubNamespace: String, places: Places = Places()) {
        (self.hubNamespace, self.places) = (hubNamespace, places)
    }

    /// Of the processes on the GPUs, by number.
    mutating func owners(on gpus: [GPUReport]) -> [ProcessOwner] {
        if let last, last.gpus == gpus { return last.owners }
        let processes = Set(gpus.filter(\.isVisible).flatMap { $0.sample?.processes ?? [] }.map(\.pid))
        let owners = processes.sorted().compactMap { pid in owner(of: pid).map { ProcessOwner(pid: pid, owner: $0) } }
        last = owners.allSatisfy { $0.owner.pod != nil } ? (gpus, owners) : nil
        return owners
    }

    /// Nil where there is no such process, or it is in no container.
    package mutating func owner(of process: Int32) -> Owner? {
        guard let text = text(of: places.proc.appending("\(process)").appending("cgroup")),
            let path = CgroupPath(parsing: text)
        else { return nil }
        if let owner = known[path] { return owner }
        let owner = found(path)
        // What is not there yet may come: containerd writes its file before the container starts, kubelet its folder too.
        if owner.pod != nil {
            if known.count >= Self.mostKnown { known.removeAll() }
            known[path] = owner
        }
        return owner
    }

    private func found(_ path: CgroupPath) -> Owner {
        var owner = Owner()
        (owner.container, owner.podUID) = (path.container, path.podUID)
        if let config = config(of: path.container), config.pod != nil {
            (owner.name, owner.pod, owner.namespace) = (config.name, config.pod, config.namespace)
            if config.namespace == hubNamespace { (owner.user, owner.server) = (config.user, config.server) }
        } else if let uid = path.podUID, let (namespace, pod) = logFolder(of: uid) {
            (owner.pod, owner.namespace) = (pod, namespace)
        }
        return owner
    }

    private func config(of container: String) -> ContainerConfig? {
        for state in places.containerdStates {
            let folder = state.appending("io.containerd.runtime.v2.task").appending("k8s.io").appending(container)
            guard let bytes = try? Disk.contents(of: folder.appending("config.json")) else { continue }
            return try? ContainerConfig.reading(bytes)
        }
        return nil
    }

    /// Neither a namespace nor a UID has an underscore, and nor has a pod.
    private func logFolder(of uid: String) -> (namespace: String, pod: String)? {
        for name in (try? Disk.names(in: places.podLogs)) ?? [] where name.hasSuffix("_\(uid)") {
            let parts = name.split(separator: "_")
            if parts.count == 3 { return (String(parts[0]), String(parts[1])) }
        }
        return nil
    }

    private func text(of path: FilePath) -> String? {
        guard let bytes = try? Disk.contents(of: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
