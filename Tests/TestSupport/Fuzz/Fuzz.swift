import FoundationEssentials
import Glibc
package import SystemPackage

/// Gives a reader one spoiled input after the other. It may take it or refuse it in one line; all else is a find: a
/// crash, another error, too much work, too much memory.
///
/// A find is kept as a file in `folder`. So is the input in hand, as NAME.current, for a crash ends the process.
package struct Fuzz {
    package var name: String
    package var folder: FilePath
    /// How long it goes on after `least` executions; zero in the unit tests, which then do the same work each time.
    package var duration: Duration
    package var least: Int

    /// What one execution came to.
    package enum Outcome: Hashable {
        case taken
        case refused(String)
        case find(String)
    }

    package struct Report {
        package var executions = 0
        package var taken = 0
        /// Refusals, with what is special to one input taken out: how far the inputs got.
        package var refusals: Set<String> = []
        package var finds: [String] = []
        package var took = Duration.zero

        package var line: String {
            let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
            let rate = Int(Double(executions) / max(seconds, 0.001))
            return "\(executions) executions in \(Int(seconds)) s (\(rate)/s), \(taken) taken, "
                + "\(refusals.count) kinds of refusal, \(finds.count) finds"
        }
    }

    /// In processor time; a good archive of this size takes a thousandth.
    private static let mostWork = Duration.seconds(5)
    /// In bytes, of the whole process.
    private static let mostMemory = 400 << 20

    /// From the environment, which scripts/fuzz sets; nil where only the short run is wanted.
    package static var wishes: (seconds: Int, folder: FilePath)? {
        let environment = ProcessInfo.processInfo.environment
        guard let seconds = environment["JHUB_FUZZ_SECONDS"].flatMap(Int.init),
            let folder = environment["JHUB_FUZZ_DIR"]
        else { return nil }
        return (seconds, FilePath(folder))
    }

    package init(_ name: String, in folder: FilePath, least: Int) {
        self.name = name
        self.folder = Self.wishes?.folder ?? folder
        duration = .seconds(Self.wishes?.seconds ?? 0)
        self.least = least
    }

    /// `read` gets the file that holds what `make` made of the dice.
    package func run(
        make: (inout Dice) throws -> [UInt8], read: (FilePath, inout Dice) throws -> Outcome
    ) throws -> Report {
        var report = Report()
        let start = ContinuousClock.now
        // Each long run goes where none was before; the short one always the same way.
        let first: UInt64 = duration == .zero ? 0 : .random(in: 0 ... .max)
        while report.executions < least || .now - start < duration {
            let seed = first &+ UInt64(report.executions)
            var dice = Dice(seed: seed)
            let input = folder.appending("\(name).current")
            let bytes = try make(&dice)
            try Data(bytes).write(to: URL(filePath: input.string))
            let begin = Self.work
            var outcome = try read(input, &dice)
            if Self.work - begin > Self.mostWork { outcome = .find("it took \(Self.work - begin)") }
            if duration != .zero, report.executions % 64 == 0, Self.memory > Self.mostMemory {
                outcome = .find("the process has had \(Self.memory >> 20) MiB")
            }
            report.executions += 1
            switch outcome {
            case .taken: report.taken += 1
            case .refused(let reason): report.refusals.insert(reason.filter { $0.isLetter && $0.isASCII || $0 == " " })
            case .find(let what):
                let kept = folder.appending("\(name)-\(seed)")
                try Data(bytes).write(to: URL(filePath: kept.string))
                report.finds.append("\(kept): \(what)")
            }
        }
        report.took = .now - start
        return report
    }

    /// Processor time of this thread so far.
    private static var work: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// In bytes, the most that the process has had.
    private static var memory: Int {
        var usage = rusage()
        getrusage(.init(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
    }
}
