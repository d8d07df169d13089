import Bundles
import FoundationEssentials
import Glibc
import Images
import SystemPackage
import Testing

@Suite struct SplitTests {
    private static let size: Int64 = 9_000_000

    private func split(_ scratch: Scratch, _ sample: SampleBundle, size: Int64 = size) throws -> Int {
        try Splitter(BundleFolder(opening: sample.path), size: size, to: scratch.path.appending("volumes")).run()
    }

    private func faults(_ path: FilePath) throws -> [Damage] { try Verifier(BundleFolder(opening: path)).run().damages }

    /// In bytes, all that lies there.
    private func size(of folder: FilePath) throws -> Int64 {
        try FileManager.default.subpathsOfDirectory(atPath: folder.string).reduce(0) { sum, name in
            let status = try Stat(folder.pushing(FilePath(name))).rawValue
            return sum + (status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : 0)
        }
    }

    @Test func volumesBesideEachOtherAreTheBundle() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 30 << 20)
            let key = SecretKey(comment: "")
            try BundleFolder(opening: sample.path).sign(with: key)
            let count = try split(scratch, sample)
            #expect(count == 4)
            let volumes = scratch.path.appending("volumes")
            for number in 1...count {
                #expect(try size(of: volumes.appending("volume-\(number)")) <= Self.size)
                // Any one of them stands for all.
                #expect(try faults(volumes.appending("volume-\(number)")) == [])
            }
            let folder = try BundleFolder(opening: volumes)
            #expect(try Verifier(folder).run().isGood)
            #expect(folder.volumes?.missing == [])
            #expect(try folder.signature(trusting: TrustedKeys([key.publicKey])) == .trusted([key.publicKey]))
            #expect(try folder.description == BundleFolder(opening: sample.path).description)
        }
    }

    @Test func volumesCopiedOverEachOtherAreTheBundle() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 20 << 20)
            let count = try split(scratch, sample)
            let one = scratch.path.appending("one")
            for number in 1...count {
                let volume = scratch.path.appending("volumes/volume-\(number)")
                for name in try FileManager.default.subpathsOfDirectory(atPath: volume.string) {
                    let from = volume.pushing(FilePath(name))
                    if try Stat(from).rawValue.st_mode & S_IFMT == S_IFREG {
                        try scratch.write("one/\(name)", contents(of: from))
                    }
                }
            }
            #expect(try faults(one) == [])
            try scratch.write("one/images/blobs/sha256/stranger", "?")
            #expect(try faults(one) == [.stranger(one.appending("images/blobs/sha256/stranger"))])
        }
    }

    @Test func aMissingVolumeIsNamedByItsNumber() throws {
        try Scratch.with { scratch in
            let count = try split(scratch, SampleBundle(in: scratch, layerSize: 20 << 20))
            let volumes = scratch.path.appending("volumes")
            for number in 1...count {
                let volume = volumes.appending("volume-\(number)")
                let aside = scratch.path.appending("aside")
                try FileManager.default.moveItem(atPath: volume.string, toPath: aside.string)
                // Of the images whose documents lie there nothing more is said.
                let report = try Verifier(BundleFolder(opening: volumes)).run()
                #expect(report.damages == [.volumeMissing(number, of: count)] && report.contradictions.isEmpty)
                #expect(report.damages.first?.description.hasPrefix("volume \(number) of \(count) is missing") == true)
                try FileManager.default.moveItem(atPath: aside.string, toPath: volume.string)
            }
        }
    }

    @Test func aDamagedVolumeIsMendedFromTheWhole() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 20 << 20)
            _ = try split(scratch, sample)
            let volumes = scratch.path.appending("volumes")
            let piece = volumes.appending("volume-2").pushing(FilePath(sample.layer + ".1"))
            try flip(piece, at: 3)
            let folder = try BundleFolder(opening: volumes)
            let layer = try #require(folder.file(sample.layer))
            let offset = try #require(folder.pieces(of: layer).first { $0.file == piece }).offset
            let index = Int(offset >> 22)
            let damage = Damage.chunk(sample.layer, index: index, bytes: offset..<min(offset + 4 << 20, layer.size))
            #expect(try faults(volumes).map(\.path) == [damage.path])
            #expect(try Repair(folder, from: sample.path).run().left.isGood)
            try scratch.remove("volumes/volume-2/\(sample.layer).1")
            #expect(try faults(volumes).contains(.missing(sample.layer)))
            #expect(try Repair(folder, from: sample.path).run().left.isGood)
            #expect(try faults(volumes) == [])
        }
    }

    @Test func theSameAgainWritesNothingAndOtherVolumesAreRefused() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 20 << 20)
            let count = try split(scratch, sample)
            let piece = scratch.path.appending("volumes/volume-2").pushing(FilePath(sample.layer + ".1"))
            let before = try Stat(piece).rawValue.st_ino
            #expect(try split(scratch, sample) == count)
            #expect(try Stat(piece).rawValue.st_ino == before)
            let fault = #expect(throws: BundleFault.self) { try split(scratch, sample, size: 15_000_000) }
            #expect(fault?.description.contains("was split otherwise") == true)
        }
    }

    @Test func whatIsDamagedIsNotSplit() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 20 << 20)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 17 << 20)
            let fault = #expect(throws: BundleFault.self) { try split(scratch, sample) }
            #expect(fault?.description.hasPrefix("chunk 4 of \(sample.layer)") == true)
            // A volume that is not whole is none.
            #expect(throws: BundleFault.self) { try BundleFolder(opening: scratch.path.appending("volumes/volume-3")) }
        }
    }

    @Test func aSizeThatIsTooSmallIsRefusedWithTheLeast() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 20 << 20)
            let chunk = #expect(throws: BundleFault.self) { try split(scratch, sample, size: 4 << 20) }
            #expect(
                chunk?.description.contains("too small") == true && chunk?.description.contains("one chunk") == true)
            try scratch.write("bundle/snaps/big_1.snap", noise(6 << 20))
            try BundleWriter(at: sample.path).write(sample.parts)
            let snap = #expect(throws: BundleFault.self) { try split(scratch, sample, size: 6 << 20) }
            #expect(snap?.description.contains("snaps/big_1.snap, which is not cut") == true)
            #expect(access(scratch.path.appending("volumes").string, F_OK) != 0)
        }
    }

    @Test func noVolumeIsEverTooLarge() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 13 << 20)
            for index in 0..<40 {
                try scratch.write("bundle/packages/p\(index).deb", noise(150_000, seed: UInt64(index)))
            }
            try BundleWriter(at: sample.path).write(sample.parts)
            for size in [Int64(4_300_000), 5_000_000, 7_777_777, 19_000_000] {
                let target = scratch.path.appending("at-\(size)")
                let count = try Splitter(BundleFolder(opening: sample.path), size: size, to: target).run()
                for number in 1...count { #expect(try self.size(of: target.appending("volume-\(number)")) <= size) }
                #expect(try faults(target) == [])
            }
        }
    }

    @Test(arguments: ["", "{", #"{"bundle":1}"#]) func aVolumeThatDescribesItselfBadlyIsRefused(_ text: String) throws {
        try Scratch.with { scratch in
            _ = try split(scratch, SampleBundle(in: scratch, layerSize: 20 << 20))
            try scratch.write("volumes/volume-2/volume-2.json", text)
            let fault = #expect(throws: BundleFault.self) { try faults(scratch.path.appending("volumes")) }
            #expect(fault?.description.contains("volume-2.json: it is cut off") == true)
        }
    }

    @Test func volumesOfDifferentBundlesAreRefused() throws {
        try Scratch.with { scratch in
            _ = try split(scratch, SampleBundle(in: scratch, layerSize: 20 << 20))
            let text = try scratch.read("volumes/volume-2/bundle.json")
            try scratch.write("volumes/volume-2/bundle.json", text + [10])
            let fault = #expect(throws: BundleFault.self) { try faults(scratch.path.appending("volumes")) }
            #expect(fault?.description.contains("are volumes of different bundles") == true)
        }
    }
}

@Suite struct BundleDifferenceTests {
    @Test func namesWhatDiffers() throws {
        try Scratch.with { scratch in
            let one = try SampleBundle(in: scratch, "one")
            let two = try SampleBundle(in: scratch, "two", layerSize: 2000)
            try scratch.write("two/charts/jupyterhub-4.2.0.tgz", "other")
            try scratch.write("two/snaps/a_1.snap", "new")
            try BundleWriter(at: two.path).write(two.parts)
            let (old, new) = (
                try BundleFolder(opening: one.path).description, try BundleFolder(opening: two.path).description
            )
            let difference = BundleDifference(from: old, to: new)
            #expect(difference.imagesChanged.map(\.name) == [SampleBundle.name])
            #expect(difference.imagesChanged.map(\.to) == [two.image.digest])
            #expect(difference.filesAdded == ["snaps/a_1.snap"] && difference.filesRemoved == [])
            #expect(difference.filesChanged.map(\.name) == ["charts/jupyterhub-4.2.0.tgz"])
            #expect(
                Set(difference.blobsAdded) == Set(two.image.blobs)
                    && Set(difference.blobsRemoved) == Set(one.image.blobs))
            #expect(BundleDifference(from: old, to: old).isEmpty)
            #expect(BundleDifference(from: new, to: old).filesRemoved == ["snaps/a_1.snap"])
        }
    }
}
