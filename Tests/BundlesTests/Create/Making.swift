import Hosts
import Images
import SystemPackage
import Testing

@testable import Bundles

/// Makes bundles as the command does.
struct Making {
    var target: FilePath
    var supplies: [any ImageSupply]
    var wanted: [String]
    var carried: [BundleMaker.Carried] = []
    var pins: [String] = []
    var have: Set<Digest> = []

    @discardableResult
    func run() async throws -> BundleDescription {
        let maker = try BundleMaker(at: target)
        try maker.carry(carried)
        let pins = try Dictionary(pins.map(ImageChoice.pin)) { $1 }
        let images = try await ImageChoice(from: supplies, pins: pins).choose(
            try wanted.map { (try ImageReference(parsing: $0), ["TEST"]) }, report: { _, _ in })
        try await maker.filler(for: images, without: have).fill { _, _ in }
        return try maker.finish(
            images, carried, without: have, date: nil, system: nil, versions: ["jupyterhub": "4.2.0"],
            report: { _, _ in })
    }

    /// An image archive by the lab's own writer, which shares nothing with our reader.
    static func archive(_ words: [String], at path: FilePath) async throws {
        let program = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("Lab/images/make-image").string
        let outcome = try await LocalTransport().run(Command([program] + words + [path.string]))
        try #require(outcome.status == 0, "\(outcome)")
    }
}

/// All files below a folder, with what is in them.
func everything(in root: FilePath) throws -> [String: [UInt8]] {
    let names = try Tree.entries(below: root).map(\.path)
    return try Dictionary(names.map { ($0, try contents(of: root.pushing(FilePath($0)))) }) { $1 }
}
