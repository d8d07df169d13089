import ArgumentParser
import Bundles
import Hosts
import Images
import Install
import Kube
import SystemPackage

extension BundleCommand {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a bundle of just what the config needs.",
            discussion: """
                Run it where the images can be had. Broken off, it goes on when it is run again; bundle.json is written last, \
                so that half a bundle is plainly none. The same input gives the same bytes. Exit status 2 if something is \
                missing or does not fit.

                  jhub-install bundle create --config jhub.env --to /media/stick --snaps snaps --charts charts
                """)

        @OptionGroup var config: ConfigOptions
        @OptionGroup var registries: RegistryOptions

        @Option(name: .customLong("to"), help: ArgumentHelp("The bundle's directory.", valueName: "dir"))
        var target: String

        @Option(
            name: .customLong("from"),
            help: ArgumentHelp(
                "Where images are taken from; may be repeated, the first that has an image gives it.",
                discussion:
                    "'registry' (the default), 'containerd:SOCKET[?namespace=NAME]' (default: k8s.io), or an archive, "
                    + "a folder of archives, an OCI layout, another bundle.",
                valueName: "source"))
        var sources: [String] = ["registry"]

        @Option(
            name: .customLong("pin"),
            help: ArgumentHelp(
                "Takes 'latest' to be this content; may be repeated.", valueName: "NAME:latest@sha256:…"))
        var pins: [String] = []

        @Option(help: ArgumentHelp("The snaps, each with its assertion.", valueName: "dir"))
        var snaps: String?

        @Option(help: ArgumentHelp("The folder with jupyterhub-VERSION.tgz.", valueName: "dir"))
        var charts: String

        @Option(help: ArgumentHelp("OS packages, with all that they depend on.", valueName: "dir"))
        var packages: String?

        @Option(
            name: .customLong("for"),
            help: ArgumentHelp(
                "The system that the packages are for, as os-release calls it; --have tells it too.",
                valueName: "ID:VERSION"))
        var system: String?

        @Option(
            help: ArgumentHelp(
                "What the site has already ('jhub-install inventory export'): layers that it has are left out.",
                valueName: "file"))
        var have: String?

        @Option(help: ArgumentHelp("Signs the bundle with this key.", valueName: "file"))
        var key: String?

        @Option(
            help: ArgumentHelp(
                "The bundle's date; no clock of a site may say less. Default: that of its newest image.",
                valueName: "2026-01-02T03:04:05Z"))
        var date: String?

        @Option(
            help: ArgumentHelp(
                "The release of the installer that goes in.", discussion: "Default: the one that this program is of.",
                valueName: "dir"))
        var root: String?

        func run() async throws {
            Interrupt.endsAtOnce()
            try await ImageError.asFault(make)
        }

        private func make() async throws {
            let settings = try config.settings()
            let key = try key.map { try SecretKey(reading: FilePath($0)) }
            let access = try registries.access()
            let inventory = try have.map { try Inventory(parsing: InputFile.read($0), of: $0) }
            let pins = try Dictionary(pins.map(ImageChoice.pin)) { $1 }
            var carriage = try Carriage(settings: settings, root: try installRoot(root))
            try carriage.add(charts: FilePath(charts), snaps: snaps.map { FilePath($0) })
            let assumed = try carriage.add(packages: packages.map { FilePath($0) }, for: inventory)
            let system = try targetSystem(inventory)
            var supplies: [any ImageSupply] = []
            for source in sources { supplies.append(try await SupplyName.supply(source, access)) }

            let path = FilePath(target)
            let maker = try BundleMaker(at: path)
            try maker.carry(carriage.carried)
            let host = Host(name: "this machine", transport: LocalTransport())
            let wanted = try await Wants(settings: settings, bundle: Bundle(at: path), root: carriage.root, host: host)
                .images()
            let images = try await ImageChoice(from: supplies, pins: pins).choose(
                wanted.map { ($0.reference, $0.needs) }, report: say)
            let left = inventory?.everywhere ?? []
            let progress = ByteProgress("fetching", json: config.json)
            try await maker.filler(for: images, without: left).fill(report: progress.report)
            progress.finish()
            let hashing = ByteProgress("hashing", json: config.json)
            let description = try maker.finish(
                images, carriage.carried, without: left, date: date, system: system, versions: carriage.versions,
                report: hashing.report)
            hashing.finish()
            if let key { try BundleFolder(opening: path).sign(with: key) }
            let made = Made(
                description: description, path: path, archives: Self.archives(of: images), assumed: assumed,
                isSigned: key != nil)
            (config.json ? [made.json.text()] : made.lines).forEach(Console.standardOutput.line)
        }

        private func say(_ image: ImageReference, _ origin: String) {
            let event: JSON = ["event": "found", "image": .string("\(image)"), "from": .string(origin)]
            Console.standardOutput.line(config.json ? event.text() : "found  \(image)  (\(origin))")
        }

        private func targetSystem(_ inventory: Inventory?) throws -> BundleDescription.System? {
            guard let system else {
                guard packages == nil || inventory != nil else {
                    throw BundleFault("--packages needs to know for which system they are: --for debian:12, or --have")
                }
                return packages == nil ? nil : inventory?.system
            }
            let parts = system.split(separator: ":").map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("--for takes ID:VERSION, as in debian:12, not '\(system)'")
            }
            let named = BundleDescription.System(id: parts[0], version: parts[1])
            if let known = inventory?.system, known != named {
                throw BundleFault("--for says \(system), and the site of --have has \(known.id):\(known.version)")
            }
            return named
        }

        /// What the archives that images were taken from have together, in bytes.
        private static func archives(of images: [ChosenImage]) -> Int64 {
            let paths = Set(
                images.compactMap { if case .pass(let source) = $0.image.bytes { source.path } else { nil } })
            return paths.reduce(0) { sum, path in
                // A layout is a folder: what lies in it is counted as blobs.
                guard let stat = try? Stat(path), stat.type == .regular else { return sum }
                return sum + Int64(stat.size)
            }
        }
    }
}

/// What `bundle create` has to say at its end.
private struct Made {
    var description: BundleDescription
    var path: FilePath
    /// What the archives that images were taken from have together, in bytes.
    var archives: Int64
    /// What the packages take for granted on the target.
    var assumed: [String]
    var isSigned: Bool

    private var bytes: Int64 { description.files.reduce(0) { $0 + $1.size } }
    private var blobs: Int64 { Set(description.images.flatMap(\.blobs)).reduce(0) { $0 + $1.size } }
    private var omitted: Int64 { description.omitted.reduce(0) { $0 + $1.size } }

    var lines: [String] {
        let kinds = Dictionary(grouping: description.files) {
            $0.path.split(separator: "/").first.map(String.init) ?? ""
        }
        var lines = kinds.sorted { $0.key < $1.key }.map { kind, files in
            row(kind, "\(files.count) files", files.reduce(0) { $0 + $1.size })
        }
        lines.append(row("in all", "\(description.files.count) files", bytes))
        lines.append("\(description.images.count) images, each blob once: \(blobs.asBytes)")
        if archives > 0 { lines.append("the archives that they came in: \(archives.asBytes)") }
        if omitted > 0 {
            lines.append("left out, since the site has them: \(description.omitted.count) layers, \(omitted.asBytes)")
        }
        if !assumed.isEmpty {
            lines.append(
                "the packages need on the target, which nobody has proved (--have does): "
                    + assumed.joined(separator: ", "))
        }
        return lines + [isSigned ? "signed" : "unsigned: sign it with 'jhub-install bundle sign --key FILE \(path)'"]
    }

    var json: JSON {
        [
            "event": "made", "path": .string(path.string), "files": .int(description.files.count),
            "bytes": .int(Int(bytes)), "images": .int(description.images.count), "blobs": .int(Int(blobs)),
            "archives": .int(Int(archives)), "omitted": .int(Int(omitted)),
            "assumed": .array(assumed.map { .string($0) }), "signed": .bool(isSigned),
        ]
    }

    private func row(_ name: String, _ count: String, _ bytes: Int64) -> String {
        name.padded(to: 14) + count.padded(to: 12) + bytes.asBytes
    }
}
