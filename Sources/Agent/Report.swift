package import GPUs

/// The GPUs, whom they work for, and the machine around them, at one moment.
package struct Report: Codable, Sendable {
    /// The machine's name.
    package var node: String
    /// Of this start of the machine (`/proc/sys/kernel/random/boot_id`): times since boot are of it.
    package var boot: String
    package var snapshot: Snapshot
    /// Whom the processes on GPUs work for; one that is in no container is left out.
    package var owners: [ProcessOwner]
    package var machine: NodeSample

    package init(node: String, boot: String, snapshot: Snapshot, owners: [ProcessOwner], machine: NodeSample) {
        (self.node, self.boot, self.snapshot) = (node, boot, snapshot)
        (self.owners, self.machine) = (owners, machine)
    }
}

package struct ProcessOwner: Codable, Hashable, Sendable {
    package var pid: Int32
    package var owner: Owner

    package init(pid: Int32, owner: Owner) { (self.pid, self.owner) = (pid, owner) }
}

extension Report {
    /// Who holds how much of a GPU, the most first; processes that are in no container together, as nobody.
    package func holders(of gpu: GPUReport) -> [Holder] {
        guard gpu.isVisible, let processes = gpu.sample?.processes else { return [] }
        var holders: [Owner?: Holder] = [:]
        for process in processes {
            let owner = owners.first { $0.pid == process.pid }?.owner
            var holder = holders[owner] ?? Holder(owner: owner)
            holder.processes.append(process.pid)
            if let memory = process.memory { holder.memory = (holder.memory ?? 0) + memory }
            holders[owner] = holder
        }
        return holders.values.sorted {
            ($0.memory ?? 0, $1.processes.first ?? 0) > ($1.memory ?? 0, $0.processes.first ?? 0)
        }
    }

    /// One who has something on a GPU.
    package struct Holder: Hashable, Sendable {
        package var owner: Owner?
        package var processes: [Int32] = []
        /// In bytes; nil where the driver does not say.
        package var memory: UInt64?
    }
}

extension GPUReport {
    /// What people call it: its number, or where it sits if it has none.
    package var name: String { gpu.index.map { String($0) } ?? gpu.bus.description }
}
