import ArgumentParser
import Bundles
import Kube
import SystemPackage

extension BundleCommand {
    struct Split: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies a bundle into volumes, for sticks or discs that are smaller than it is.",
            discussion: """
                Each volume has bundle.json, and checks and mends alone. At the site the volumes may lie beside each other, or be \
                copied over each other into one directory. Interrupted, it goes on when it is run again.
                """)

        @OptionGroup var bundle: BundleArgument

        @Option(
            help: ArgumentHelp(
                "The most that a volume may have, all told.",
                discussion: "In bytes, or with k, M, G, T (thousands) or Ki, Mi, Gi, Ti.",
                valueName: "size"))
        var size: ByteSize

        @Option(help: ArgumentHelp("Where volume-1, volume-2, … are made.", valueName: "dir"))
        var to: String

        func run() throws {
            let interrupt = Interrupt()
            let progress = ByteProgress("copied", json: bundle.json)
            let splitter = Splitter(try bundle.open(), size: size.bytes, to: FilePath(to))
            let count: Int
            do {
                defer { progress.finish() }
                count = try splitter.run(report: progress.report, isInterrupted: { interrupt.wasAsked })
            }
            let result: JSON = ["event": "split", "volumes": .int(count)]
            Console.standardOutput.line(
                bundle.json
                    ? result.text()
                    : "\(count.of("volume")) in \(to), of \(size.bytes.asBytes) at most")
        }
    }
}

/// "4G", "700M", "650MiB": a number of bytes.
struct ByteSize: ExpressibleByArgument {
    var bytes: Int64

    init?(argument: String) {
        let digits = argument.prefix(while: \.isNumber)
        guard let number = Int64(digits), number > 0 else { return nil }
        var unit = argument.dropFirst(digits.count).uppercased()
        if unit.hasSuffix("B") { unit.removeLast() }
        let isBinary = unit.hasSuffix("I")
        if isBinary { unit.removeLast() }
        guard let power = ["", "K", "M", "G", "T"].firstIndex(of: unit), !(isBinary && power == 0) else { return nil }
        var bytes = number
        for _ in 0..<power {
            let (product, overflows) = bytes.multipliedReportingOverflow(by: isBinary ? 1024 : 1000)
            if overflows { return nil }
            bytes = product
        }
        self.bytes = bytes
    }
}
