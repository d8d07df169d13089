package import Hosts
package import Images
import Kube

/// Carries stages out. The only code that changes anything.
package struct Installer: Sendable {
    package var stages: [any Stage]
    package var record: Record
    /// Shared with the commands, which may outlive us; nil where nobody else can be at work.
    package var lock: Lock?
    package var report: @Sendable (Event) -> Void
    /// Asked between changes and while waiting: the change in hand is always finished.
    package var isInterrupted: @Sendable () -> Bool
    /// How often a stage that waits is asked again.
    package var pulse: Duration
    /// How long a change has to show before it is made again.
    package var rest: Duration = .seconds(5)
    /// How long a stage that waits may do so; nil leaves that to each.
    package var patience: Duration?

    package init(
        stages: [any Stage], record: Record, lock: Lock? = nil, pulse: Duration = .milliseconds(500),
        patience: Duration? = nil, isInterrupted: @escaping @Sendable () -> Bool = { false },
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        (self.stages, self.record, self.lock, self.pulse, self.patience) = (stages, record, lock, pulse, patience)
        (self.isInterrupted, self.report) = (isInterrupted, report)
    }

    /// What each stage would do now. Nothing is changed.
    package func plans(for site: Site) async throws -> [(stage: any Stage, plan: Plan)] {
        var plans: [(any Stage, Plan)] = []
        for stage in stages { plans.append((stage, try await stage.plan(for: site))) }
        return plans
    }

    /// Makes it so, stage by stage, in order; returns how many changes that took.
    @discardableResult
    package func run(on site: Site) async throws -> Int {
        var total = 0
        for (number, stage) in stages.enumerated() {
            report(.began(stage.name, title: stage.title, number: number + 1, of: stages.count))
            let start = ContinuousClock.now
            let made = try await settle(stage, on: site)
            total += made
            report(.settled(stage.name, changes: made, took: start.duration(to: .now)))
        }
        return total
    }

    /// Asks the stage, makes what it says, and asks again until it says nothing.
    ///
    /// A stage may plan in rounds, since some things can be seen only once
    /// others stand. A change that is still planned after it was made may need
    /// a moment to show, or somebody undid it: it is waited for, and made again
    /// twice. What is planned still after the stage's patience did not take.
    private func settle(_ stage: any Stage, on site: Site) async throws -> Int {
        var made: [Change: Making] = [:]
        let patience = stage.patience == .zero ? .zero : patience ?? stage.patience
        var deadline = ContinuousClock.now + patience
        while true {
            if isInterrupted() { throw InstallError.interrupted }
            let need: String
            switch try await plan(of: stage, on: site) {
            case .settled:
                return made.values.reduce(0) { $0 + $1.times }
            case .waits(let what):
                need = what
            case .changes(let changes):
                let due = changes.filter { made[$0, default: Making()].isDue(after: rest) }
                for step in due.steps {
                    if isInterrupted() { throw InstallError.interrupted }
                    try await make(step, of: stage, on: site)
                    for change in step { made[change, default: Making()].count() }
                    deadline = ContinuousClock.now + patience
                }
                if !due.isEmpty { continue }
                guard ContinuousClock.now < deadline else {
                    let trouble = await stage.trouble(on: site)
                    throw InstallError.didNotTake(stage: stage.title, changes[0], trouble: trouble)
                }
                need = "this to show: \(changes[0].action)"
            }
            guard ContinuousClock.now < deadline else {
                let reasons = [need, await stage.trouble(on: site)].compactMap(\.self).joined(separator: "; ")
                throw InstallError.waited(stage: stage.title, patience: patience, need: reasons)
            }
            report(.waiting(stage.name, for: need))
            try await pause(of: stage, on: site)
        }
    }

    /// What the stage says now. An API server that begins anew in the midst of its look is one to wait for.
    private func plan(of stage: any Stage, on site: Site) async throws -> Plan {
        do {
            return try await stage.plan(for: site)
        } catch let error as KubeError where error.isPassing {
            return .waits(for: "\(error)")
        }
    }

    /// Until something happens to what the stage watches, else for a moment.
    private func pause(of stage: any Stage, on site: Site) async throws {
        guard let path = stage.watched, let kube = try? await site.kube(),
            (try? await kube.news(at: path, within: .seconds(2))) != nil
        else { return try await Task.sleep(for: pulse) }
        // Events come in swarms; one look is enough for those of one moment.
        try await Task.sleep(for: .milliseconds(200))
    }

    /// How often a change was made, and when last.
    private struct Making {
        var times = 0
        var last = ContinuousClock.now

        func isDue(after rest: Duration) -> Bool { times == 0 || times < 3 && last.duration(to: .now) > rest }

        mutating func count() { (times, last) = (times + 1, .now) }
    }

    private func make(_ step: [Change], of stage: any Stage, on site: Site) async throws {
        let loads = step.compactMap { if case .load(let load) = $0.action { (change: $0, load: load) } else { nil } }
        if loads.isEmpty {
            for change in step { try await make(change, of: stage, on: site) }
        } else {
            try await load(loads, of: stage, on: site)
        }
    }

    /// Makes one change of a stage, recorded before and after.
    package func make(_ change: Change, of stage: any Stage, on site: Site) async throws {
        report(.changing(stage.name, change))
        let entry = try await record.begin(change, stage: stage.name, on: site)
        let start = ContinuousClock.now
        do {
            try await carryOut(change, of: stage, on: site)
        } catch {
            try record.end(entry, "failed: \(error)")
            throw error
        }
        try record.end(entry, "done")
        report(.changed(stage.name, change, took: start.duration(to: .now)))
    }

    private func carryOut(_ change: Change, of stage: any Stage, on site: Site) async throws {
        let transport = site.node.transport
        switch change.action {
        case .write(let file, nil): try await transport.write(file)
        case .write(let file, let test?): try await write(file, if: test, on: site.node)
        case .make(let directory): try await transport.make(directory)
        case .remove(let path): try await transport.remove(path)
        case .run(let command, _):
            try await transport.run(sharingLock(command, on: site)).orThrow(command, on: site.node.name)
        case .send(let file, let target, let permissions): try await send(file, to: target, permissions, on: site)
        case .join(let join): try await join.carryOut(on: site)
        case .stop(let server): try await server.stop(on: site)
        case .apply(let manifest): try await site.kube().apply(manifest)
        case .delete(let manifest): _ = try await site.kube().delete(manifest.path())
        case .load(let load): _ = try await site.images.load([load], LoadListener())
        case .unload(let names): try await site.images.remove(names)
        }
    }

    private func sharingLock(_ command: Command, on site: Site) -> Command {
        guard let lock else { return command }
        return site.worker == nil ? lock.shared(with: command) : Lock.shared(at: NodeFolder.path, with: command)
    }
}

extension Installer {
    /// Writes a file that a program has to accept. Where it does not, what stood there comes back.
    private func write(_ file: File, if test: Command, on host: Host) async throws {
        let old = try await host.transport.read(file.path)
        let state = try await host.transport.state(of: file.path)
        try await host.transport.write(file)
        let outcome = try await host.transport.run(test)
        guard outcome.status != 0 else { return }
        if let old, let state {
            var before = file
            (before.contents, before.permissions, before.owner) = (old, state.permissions, state.owner)
            try await host.transport.write(before)
        } else {
            try await host.transport.remove(file.path)
        }
        try outcome.orThrow(test, on: host.name)
    }
}

/// What happens while an installer works.
package enum Event: Sendable {
    case began(String, title: String, number: Int, of: Int)
    case waiting(String, for: String)
    case changing(String, Change)
    case moved(String, bytes: Int64, of: Int64)
    /// Images were loaded, with this effort.
    case loaded(String, Effort)
    case changed(String, Change, took: Duration)
    case settled(String, changes: Int, took: Duration)
}

package enum InstallError: Error, Equatable, CustomStringConvertible {
    case waited(stage: String, patience: Duration, need: String)
    case didNotTake(stage: String, Change, trouble: String? = nil)
    case failed(Command, on: String, Outcome)
    case interrupted
    /// Something that no run can mend: what, and what to do.
    case refused(String)

    package var description: String {
        switch self {
        case .waited(let stage, .zero, let need): "\(stage): \(need)"
        case .waited(let stage, let patience, let need):
            "\(stage): waited \(patience.components.seconds) s: \(need)"
        case .didNotTake(let stage, let change, let trouble):
            "\(stage): was done and did not take: \(change)" + (trouble.map { "; \($0)" } ?? "")
        case .failed(let command, let host, let outcome):
            "\(host): '\(command)' ended with status \(outcome.status): \(outcome.lastWords)"
        case .interrupted: "interrupted; run the same command again to go on"
        case .refused(let why): why
        }
    }
}

extension Outcome {
    @discardableResult
    package func orThrow(_ command: Command, on host: String) throws(InstallError) -> Outcome {
        guard status == 0 else { throw .failed(command, on: host, self) }
        return self
    }

    /// The last lines that say why, as one line: of standard error, or where it is empty of the output.
    package var lastWords: String {
        let text = errors.contains { !$0.isWhitespace } ? errors : output
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }
        return lines.isEmpty ? "it said nothing" : lines.suffix(4).joined(separator: " · ")
    }
}

extension StringProtocol {
    package var trimmed: String {
        let rest = drop(while: \.isWhitespace)
        guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(rest[...last])
    }
}
