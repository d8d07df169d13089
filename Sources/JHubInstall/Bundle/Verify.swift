import ArgumentParser
import Bundles
import Kube
import SystemPackage

extension BundleCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads every byte of a bundle, and names what is wrong with it.",
            discussion: """
                It checks the signature, each chunk of 4 MiB of each file over all cores, that nothing is missing or strange, \
                and that each image is whole. Interrupted, it goes on when it is run again. A stick is best taken out and put in \
                again before: else the system may answer from memory what is not on the stick.

                With --config it proves too that the bundle has every image that any object of this config asks for: the chart \
                is rendered, with hooks, init containers and the images of users' servers, and the MicroK8s snap is looked into.
                """)

        @OptionGroup var bundle: BundleArgument
        @OptionGroup var trust: TrustedKeysOption
        @OptionGroup var completeness: CompletenessOptions

        @Flag(help: "Accept a bundle that nobody, or nobody who is trusted here, has signed.")
        var allowUnsigned = false

        func run() async throws {
            let folder = try bundle.open()
            let signature = try folder.signature(trusting: try trust.load())
            if let fault = signature.fault(allowingUnsigned: allowUnsigned) { throw fault }
            let out = Console.standardOutput
            if !bundle.json { out.line(signature.line) }
            let interrupt = Interrupt()
            let progress = ByteProgress("checked", json: bundle.json)
            let finding: Verifier.Finding
            do {
                defer { progress.finish() }
                finding = try Verifier(folder, cache: cacheFolder).run(
                    report: progress.report, isInterrupted: { interrupt.wasAsked })
            }
            // A program of the bundle renders its chart: nothing damaged is run.
            let lacking = finding.isGood ? try await completeness.absent(from: FilePath(bundle.directory)) : nil
            if bundle.json {
                var result = finding.json
                result["lacking"] = lacking.map { .array($0.map { .string($0) }) }
                result["signature"] = signature.json
                out.line(JSON.object(result).text())
            } else {
                finding.lines.forEach(out.line)
                out.line(finding.throughput.line)
                out.line(finding.summary(of: folder))
                for line in lacking ?? [] { out.line(line) }
                if lacking?.isEmpty == true { out.line("complete: it has every image that the config asks for") }
            }
            if !finding.isGood || lacking?.isEmpty == false { throw ExitStatus.wrongInput }
        }
    }
}

extension Verifier.Finding {
    func summary(of folder: BundleFolder) -> String {
        let files = folder.description.files.count
        guard !isGood else { return "\(files.of("file")), \(folder.description.images.count.of("image")): no fault" }
        let advice =
            damages.contains { $0.path != nil } ? ": mend it with 'jhub-install bundle repair --from GOOD-COPY'" : ""
        return "\(lines.count.of("fault"))\(advice)"
    }

    var json: [String: JSON] {
        [
            "event": "checked", "good": .bool(isGood),
            "faults": .array(damages.map(\.json) + contradictions.map { ["text": .string($0.description)] }),
            "bytes": .int(Int(throughput.bytes)), "milliseconds": .int(throughput.took.milliseconds),
            "bound": .string(throughput.isBoundByDisk ? "disk" : "hash"),
        ]
    }
}

extension Damage {
    var json: JSON {
        var object: [String: JSON] = ["text": .string(description)]
        object["path"] = path.map { .string($0) }
        if case .chunk(_, let index, let bytes) = self {
            object["chunk"] = .int(index)
            object["bytes"] = [.int(Int(bytes.lowerBound)), .int(Int(bytes.upperBound))]
        }
        return .object(object)
    }
}

extension Throughput {
    /// "2.1 GB in 0.9 s, 2.3 GB/s: bound by the hash (91 % of the work)"
    var line: String {
        let all = (reading + hashing) / .milliseconds(1)
        let part = isBoundByDisk ? reading : hashing
        let share = all > 0 ? Int(100 * (part / .milliseconds(1)) / all) : 0
        let bound = isBoundByDisk ? "waiting for the disk" : "hashing"
        return "\(bytes.asBytes) in \(took.seconds), \(Int64(rate).asBytes)/s; \(share) % of the work was \(bound)"
    }
}
