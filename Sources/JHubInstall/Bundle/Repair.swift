import ArgumentParser
import Bundles
import Kube
import SystemPackage

extension BundleCommand {
    struct Repair: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mends a bundle from a good copy: copies the chunks that are damaged, and no others.",
            discussion: """
                The copy may be another bundle that has the same files, or be damaged itself in other places: each chunk is \
                proved before it is written. Exit status 2 if something is left that it could not mend.
                """)

        @OptionGroup var bundle: BundleArgument

        @Option(help: ArgumentHelp("Where the good copy is.", valueName: "dir"))
        var from: String

        func run() throws {
            let interrupt = Interrupt()
            let checking = ByteProgress("checked", json: bundle.json)
            let writing = ByteProgress("written", json: bundle.json)
            let outcome: Bundles.Repair.Outcome
            do {
                defer {
                    checking.finish()
                    writing.finish()
                }
                outcome = try Bundles.Repair(try bundle.open(), from: FilePath(from), cache: cacheFolder).run(
                    checking: checking.report, writing: writing.report, isInterrupted: { interrupt.wasAsked })
            }
            let out = Console.standardOutput
            if bundle.json {
                var result = outcome.left.json
                result["event"] = "repaired"
                result["mended"] = .array(outcome.mended.map(\.json))
                result["bytes"] = .int(Int(outcome.written))
                out.line(JSON.object(result).text())
            } else {
                for damage in outcome.mended { out.line("mended: \(damage.object)") }
                for line in outcome.left.lines { out.line("left:   \(line)") }
                out.line(
                    "\(outcome.mended.count) mended (\(outcome.written.asBytes)), \(outcome.left.lines.count) left")
            }
            if !outcome.left.isGood { throw ExitStatus.wrongInput }
        }
    }
}

extension Damage {
    /// Of what it is.
    fileprivate var object: String {
        guard case .chunk(let path, let index, _) = self else { return path ?? description }
        return "chunk \(index) of \(path)"
    }
}
