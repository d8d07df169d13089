package import GPUs

import struct FoundationEssentials.Date

/// Everything that is known of one GPU, and why it stands as it does.
package struct Explanation: Sendable {
    private let report: Report
    private let gpu: GPUReport

    /// - Parameter name: its number, its UUID or the beginning of it, or where it sits on the bus.
    package init?(of name: String, in report: Report) {
        let bus = PCIAddress(name)
        let matches = report.snapshot.gpus.filter { gpu in
            gpu.gpu.index.map { String($0) } == name || gpu.gpu.bus == bus
                || (name.count >= 8 && gpu.gpu.uuid?.hasPrefix(name) == true)
        }
        guard matches.count == 1 else { return nil }
        (self.report, gpu) = (report, matches[0])
    }

    package var state: Verdict.State { gpu.verdict.state }

    package var lines: [String] {
        let facts = [gpu.gpu.model, gpu.gpu.uuid, gpu.gpu.bus.description, gpu.gpu.serial.map { "serial \($0)" }]
        var lines = ["GPU \(gpu.name): " + facts.compactMap(\.self).joined(separator: ", ")]
        lines.append("\(gpu.verdict.state.rawValue) since \(time(gpu.verdict.since))")
        if !gpu.isVisible { lines.append("the driver does not show it; what follows is the last that was known") }
        if gpu.verdict.findings.isEmpty { lines.append("nothing speaks against it") }
        for finding in gpu.verdict.findings {
            lines.append("")
            lines.append("  \(finding.state.rawValue) by rule \(finding.rule.rawValue), since \(time(finding.since))")
            lines.append("  seen:  \(finding.evidence)")
            lines.append("  to do: \(finding.action.advice) (\(finding.action.rawValue))")
        }
        let xids = report.snapshot.xids.filter { $0.bus == gpu.gpu.bus }
        if !xids.isEmpty {
            lines += ["", "  faults that the driver reported, the last \(xids.count):"] + xids.map(line)
        }
        let holders = report.holders(of: gpu)
        if !holders.isEmpty { lines += ["", "  on it now:"] + holders.map(line) }
        return lines
    }

    private func line(_ event: XIDEvent) -> String {
        let meaning = event.entry.map { "\($0.description); \($0.action.advice)" } ?? "not in NVIDIA's catalogue"
        let process = event.pid.map { " (process \($0)\(event.processName.map { ", \($0)" } ?? ""))" } ?? ""
        return "    \(time(event.moment))  XID \(event.code)\(process): \(meaning)"
    }

    private func line(_ holder: Report.Holder) -> String {
        let owner = holder.owner
        let words = [
            owner?.user.map { "user \($0)" }, owner?.pod.map { "pod \(owner?.namespace ?? "")/\($0)" },
            owner?.container.map { "container \($0.prefix(12))" },
            "processes " + holder.processes.map { String($0) }.joined(separator: ", "),
            holder.memory.map { Words.bytes($0) },
        ]
        return "    " + words.compactMap(\.self).joined(separator: ", ")
    }

    private func time(_ moment: Moment) -> String {
        Date(timeIntervalSince1970: moment.time).formatted(.iso8601)
    }
}
