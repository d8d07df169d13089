import Install

import struct Foundation.Date

/// A run that may change something: the only one at a time, logged, shown and recorded.
struct Work {
    let log: LogFile
    private let lock: Lock
    private let screen: any Display
    private let run = Date().formatted(.iso8601)

    init(purpose: String, asJSON: Bool, verbose: Bool = false) throws {
        lock = try Lock(purpose: purpose)
        log = try LogFile(run: run)
        screen = display(asJSON: asJSON, verbose: verbose)
    }

    /// Asks who answers for the bundle; the log has the answer.
    func pass(_ bundle: Bundle, _ options: TrustOptions) throws -> BundleTrust {
        do {
            let trust = try options.pass(bundle)
            log.line("bundle: \(bundle.path): \(trust.words)")
            return trust
        } catch {
            log.line("refused: \(error)")
            throw error
        }
    }

    /// One without stages and without a display. From now on an interrupt waits for the change in hand.
    var installer: Installer {
        let interrupt = Interrupt()
        return Installer(stages: [], record: Record(run: run), lock: lock, isInterrupted: { interrupt.wasAsked })
    }

    /// Carries the stages out; `ended` says what there is to say of it, given the number of changes.
    func carryOut(
        _ stages: [any Stage], on site: Site, patience: Duration? = nil, ended: (Int) async throws -> Void
    ) async throws {
        var installer = installer
        (installer.stages, installer.patience) = (stages, patience)
        installer.report = { [log, screen] event in
            log.write(event)
            screen.show(event)
        }
        do {
            let made = try await installer.run(on: site)
            screen.finish()
            try await ended(made)
            log.line("done: \(made) changes")
        } catch {
            screen.finish()
            log.line("ended: \(error)")
            throw error
        }
    }
}
