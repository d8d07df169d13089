import GPUs

/// How a node stands, for a person at a terminal.
package struct StatusTable: Sendable {
    private let report: Report
    private let now: Moment

    package init(_ report: Report) { (self.report, now) = (report, report.snapshot.taken) }

    package func lines(coloured: Bool) -> [String] {
        var lines = [heading(coloured)]
        if !report.snapshot.gpus.isEmpty { lines += [""] + table.lines(coloured: coloured) }
        let findings = self.findings
        if !findings.isEmpty { lines += [""] + findings }
        return lines + [""] + machine
    }

    private func heading(_ coloured: Bool) -> String {
        let (snapshot, driver) = (report.snapshot, report.snapshot.driver)
        var parts = [report.node]
        parts.append(driver.version.map { "driver \($0)" } ?? "no driver")
        if let cuda = driver.cuda { parts.append("CUDA \(cuda)") }
        let visible = snapshot.gpus.count(where: \.isVisible)
        let all = snapshot.gpus.count
        parts.append(visible == all ? "\(all) GPU\(all == 1 ? "" : "s")" : "\(visible) of \(all) GPUs")
        let state = snapshot.node.state
        let word = coloured ? state.colour.around(state.rawValue) : state.rawValue
        parts.append("\(word) for \(Words.duration(now.seconds(since: snapshot.node.since)))")
        return parts.joined(separator: " · ")
    }

    private var table: Columns {
        var table = Columns(sides: [.right, .left, .right, .right, .right, .right, .left, .left])
        let names = ["GPU", "MODEL", "USE", "MEMORY", "POWER", "TEMP", "HEALTH", "WHO"]
        table.rows.append(names.map { Columns.Cell(text: $0, colour: .bold) })
        for gpu in report.snapshot.gpus { table.rows += rows(of: gpu) }
        return table
    }

    /// One row, and one more for each further holder.
    private func rows(of gpu: GPUReport) -> [[Columns.Cell]] {
        let sample = gpu.isVisible ? gpu.sample : nil
        let use = sample?.utilization.map { "\($0) %" }
        let memory = sample?.memory.map { "\(Words.tenths(Double($0.used) / 0x1p30)) / \(Words.bytes($0.total))" }
        let power = sample?.power.map { milliwatts in
            "\(milliwatts / 1000)" + (sample?.enforcedPowerLimit.map { " / \($0 / 1000)" } ?? "") + " W"
        }
        let temperature = sample?.temperature.map { "\($0) °C" }
        let model = gpu.gpu.model.map { $0.hasPrefix("NVIDIA ") ? String($0.dropFirst(7)) : $0 }
        let health = gpu.isVisible ? gpu.verdict.state.rawValue : "lost"
        let first = [gpu.name, model ?? "", use ?? "-", memory ?? "-", power ?? "-", temperature ?? "-"]
        let holders = report.holders(of: gpu).map { text(of: $0) + idle(gpu) }
        var rows = [first.map { Columns.Cell(text: $0) }]
        rows[0].append(Columns.Cell(text: health, colour: gpu.verdict.state.colour))
        rows[0].append(Columns.Cell(text: holders.first ?? ""))
        let blank = Array(repeating: Columns.Cell(text: ""), count: 7)
        return rows + holders.dropFirst().map { blank + [Columns.Cell(text: $0)] }
    }

    /// "anna (jhub/jupyter-anna) 71.2 GiB"
    private func text(of holder: Report.Holder) -> String {
        let pod = holder.owner.flatMap { owner in owner.pod.map { "\(owner.namespace ?? "")/\($0)" } }
        let processes = holder.processes.map { String($0) }.joined(separator: ", ")
        let stranger =
            holder.owner?.container.map { "container \($0.prefix(12))" }
            ?? "process\(holder.processes.count == 1 ? "" : "es") \(processes)"
        let name = holder.owner?.user.map { user in user + (pod.map { " (\($0))" } ?? "") } ?? pod ?? stranger
        return name + (holder.memory.map { " \(Words.bytes($0))" } ?? "")
    }

    private func idle(_ gpu: GPUReport) -> String {
        gpu.idle.map { ", idle for \(Words.duration(now.seconds(since: $0.since)))" } ?? ""
    }

    /// What is amiss, and what is to be done.
    private var findings: [String] {
        let ofGPUs = report.snapshot.gpus.flatMap { gpu in
            gpu.verdict.findings.map { "GPU \(gpu.name): \($0.evidence): \($0.action.advice)" }
        }
        let own = report.snapshot.node.findings.filter { $0.rule != .gpu }.map { "\($0.evidence): \($0.action.advice)" }
        return (own + ofGPUs).map { "! " + $0 }
    }

    private var machine: [String] {
        let machine = report.machine
        var parts: [String] = []
        if let load = machine.load1, let processors = machine.processors {
            parts.append("load \(Words.tenths(load)) of \(processors) processors")
        }
        if let memory = machine.memory {
            parts.append("memory \(Words.bytes(memory.total - memory.available)) of \(Words.bytes(memory.total))")
        }
        parts += machine.disks.map { disk in
            let line =
                disk.name == "imagefs"
                ? machine.kubelet.map { " (images go at \(Words.share($0.imageCollection)))" } : nil
            return "\(disk.name) \(Words.share(disk.fullness)) full" + (line ?? "")
        }
        for (name, isAlive) in [("kubelet", machine.isKubeletAlive), ("containerd", machine.isContainerdAlive)] {
            if let isAlive { parts.append("\(name) \(isAlive ? "answers" : "does not answer")") }
        }
        if let clock = machine.clock { parts.append(clock.isSynchronised ? "clock kept" : "clock not kept") }
        return parts.isEmpty ? [] : ["machine: " + parts.joined(separator: ", ")]
    }
}

extension Verdict.State {
    var colour: Colour {
        switch self {
        case .healthy: .green
        case .degraded, .unknown: .yellow
        case .unhealthy: .red
        }
    }
}
