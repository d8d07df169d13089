import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Whatever an archive, a layout or the remembered index holds: images that agree with themselves, or one line.
@Suite(.serialized) struct FuzzTests {
    @Test func archives() async throws {
        try await Folder.with { folder in
            let spoiled = SpoiledArchive(packed: try await packed(in: folder))
            let fuzz = Fuzz("archive", in: folder.path, least: 300)
            let report = try fuzz.run(make: { spoiled.bytes(&$0) }, read: { file, _ in outcome(of: file) })
            check("archives", report, kinds: 20)
        }
    }

    @Test func layouts() async throws {
        try await Folder.with { folder in
            let place = folder.path.appending("layout")
            var members: [Tar.Member] = []
            let fuzz = Fuzz("layout", in: folder.path, least: 100)
            let report = try fuzz.run {
                members = SpoiledArchive().members(&$0)
                return Tar(members: members).bytes
            } read: { _, _ in
                if FileManager.default.fileExists(atPath: place.string) {
                    try FileManager.default.removeItem(atPath: place.string)
                }
                for member in members where (try? folder.unpack([member], as: "layout")) == nil && member.type == "2" {
                    try? FileManager.default.createSymbolicLink(
                        atPath: place.pushing(FilePath(member.name)).string, withDestinationPath: member.link)
                }
                return outcome(of: place)
            }
            check("layouts", report, kinds: 10)
        }
    }

    /// A spoiled index is not believed, or says images; it never ends the program.
    @Test func rememberedIndexes() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample(layers: ["base"]).docker)
            _ = try folder.shelf(archive).images()
            let good = String(decoding: try contents(of: folder.path.appending("index.json")), as: UTF8.self)
            let fuzz = Fuzz("index", in: folder.path, least: 100)
            let report = try fuzz.run {
                Array($0.spoilJSON(good).utf8)
            } read: { file, _ in
                try ImageShelf(archives: [archive], index: file).images().isEmpty ? .find("no image") : .taken
            }
            check("indexes", report, kinds: 0)
        }
    }

    /// Inputs that were finds once, named by what was wrong with them.
    @Test func whatWasFoundIsRefused() throws {
        let folder = FilePath(#filePath).removingLastComponent().pushing("Fixtures/finds")
        let finds = try FileManager.default.contentsOfDirectory(atPath: folder.string)
        #expect(!finds.isEmpty)
        for find in finds {
            guard case .refused = outcome(of: folder.appending(find)) else {
                Issue.record("\(find): \(outcome(of: folder.appending(find)))")
                continue
            }
        }
    }

    /// The reader got deep, and nothing was found.
    private func check(_ what: String, _ report: Fuzz.Report, kinds: Int) {
        print("fuzz: \(what): \(report.line)")
        #expect(report.finds.isEmpty)
        #expect(report.taken >= 10 && report.refusals.count >= kinds, "\(report.taken), \(report.refusals.count)")
    }

    private func outcome(of path: FilePath) -> Fuzz.Outcome {
        do {
            let images = try ImageShelf(archives: [path], index: "/dev/null/none").images()
            if let fault = try images.lazy.compactMap(contradiction).first { return .find(fault) }
            return .taken
        } catch let error as ImageError {
            let line = error.description
            guard line.utf8.count < 2000, !line.unicodeScalars.contains(where: { $0.value < 32 }) else {
                return .find("the message is '\(line)'")
            }
            return .refused(error.reason)
        } catch {
            return .find("\(error)")
        }
    }

    /// What an image says of itself and is not so, its blobs read and hashed where their digest was to be proved.
    private func contradiction(in image: ArchivedImage) throws(ImageError) -> String? {
        let digests = image.blobs.map(\.digest)
        guard Set(digests).count == digests.count else { return "a blob stands twice" }
        guard digests.contains(image.target), digests.contains(image.config) else { return "no target, or no config" }
        guard Set(image.source.layers.map(\.blob)).isSubset(of: image.blobs) else { return "a layer is no blob" }
        guard image.platform == .linuxAMD64 else { return "it is for \(image.platform)" }
        let stored = image.blobs.filter { image.source.composed == nil || $0 != image.source.manifest }
        var bytes: [Blob: [UInt8]] = [:]
        try image.source(with: []).read(stored.map { WantedBlob($0) }) { bytes[$0.blob, default: []] += $0.bytes }
        for blob in stored {
            guard let got = bytes[blob], got.count == blob.size else { return "\(blob) was not read whole" }
            let isProved = blob == image.source.manifest || blob.digest == image.config
            if isProved, Digest(of: got) != blob.digest { return "\(blob) has other bytes" }
        }
        return nil
    }

    private func packed(in folder: Folder) async throws -> [[UInt8]] {
        var all: [[UInt8]] = []
        for (number, members) in [Sample(layers: ["base"]).docker, Sample().docker25].enumerated() {
            let plain = try folder.write("plain", members)
            for tool in CompressedArchiveTests.tools {
                let file = folder.path.appending("\(number).\(tool)")
                if try await pack(plain, with: tool, to: file) { all.append(try contents(of: file)) }
            }
        }
        return all
    }
}
