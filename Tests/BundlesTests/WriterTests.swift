import Bundles
import FoundationEssentials
import Glibc
import Images
import SystemPackage
import Testing

@Suite struct WriterTests {
    @Test func theSameFilesGiveTheSameBytes() throws {
        try Scratch.with { scratch in
            let one = try SampleBundle(in: scratch, "one", layerSize: 9 << 20)
            let two = try SampleBundle(in: scratch, "two", layerSize: 9 << 20)
            for name in ["bundle.json", "bundle.checkpoints", "images/index.json", "images/oci-layout"] {
                #expect(try scratch.read("one/\(name)") == scratch.read("two/\(name)"), "\(name)")
            }
            #expect(one.image == two.image)
        }
    }

    @Test func aSignatureStaysOnlyWhereNothingChanged() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            try scratch.write("bundle/bundle.json.sig", "x")
            try BundleWriter(at: sample.path).write(sample.parts)
            #expect(try scratch.read("bundle/bundle.json.sig") == [120])
            try scratch.write("bundle/charts/more.tgz", "more")
            try BundleWriter(at: sample.path).write(sample.parts)
            #expect(access(sample.path.appending("bundle.json.sig").string, F_OK) != 0)
        }
    }

    @Test func programsAndNeedsAreDescribed() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            let program = try scratch.write("bundle/jhub-install/bin/jhub-install", "#!")
            #expect(chmod(program.string, 0o755) == 0)
            let files = try BundleWriter(at: sample.path).write(sample.parts).files
            #expect(files.filter(\.isProgram).map(\.path) == ["jhub-install/bin/jhub-install"])
            #expect(files.filter { !$0.needs.isEmpty }.map(\.needs) == [["chart jupyterhub"]])
        }
    }

    @Test(arguments: ["charts/with space.tgz", "charts/umlaut-ü.tgz", "charts/back\\slash"])
    func namesThatNoBundleHasAreRefused(_ name: String) throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            try scratch.write("bundle/\(name)", "?")
            let fault = #expect(throws: BundleFault.self) { try BundleWriter(at: sample.path).write(sample.parts) }
            #expect(fault?.description.contains("cannot be in a bundle: its name has letters") == true)
        }
    }

    @Test func linksAreRefused() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            #expect(symlink("/etc/hostname", sample.path.appending("link").string) == 0)
            let fault = #expect(throws: BundleFault.self) { try BundleWriter(at: sample.path).write(sample.parts) }
            #expect(fault?.description.contains("is no plain file") == true)
        }
    }

    @Test func aBlobThatIsNotWhatItsNameSaysIsRefused() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            try flip(sample.path.pushing(FilePath(sample.layer)), at: 17)
            let before = try scratch.read("bundle/bundle.json")
            let fault = #expect(throws: BundleFault.self) { try BundleWriter(at: sample.path).write(sample.parts) }
            #expect(fault?.description.contains("\(sample.layer) has the digest sha256:") == true)
            #expect(try scratch.read("bundle/bundle.json") == before)
        }
    }
}

@Suite struct LayoutWriterTests {
    private func names(in scratch: Scratch) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch.path.appending("blobs/sha256").string)
    }

    @Test func aBlobGetsItsNameWhenItIsProved() throws {
        try Scratch.with { scratch in
            let bytes = noise(300_000)
            let blob = Blob(digest: Digest(of: bytes), size: 300_000)
            let layout = try LayoutWriter(at: scratch.path)
            #expect(!layout.has(blob))
            let file = try layout.open(blob)
            try file.append(bytes[..<100_000])
            #expect(throws: BundleFault.self) { try file.finish() }
            #expect(!layout.has(blob))
            try file.append(bytes[100_000...])
            #expect(throws: BundleFault.self) { try file.append([1]) }
            try file.finish()
            #expect(layout.has(blob))
            #expect(try scratch.read("blobs/sha256/\(blob.digest.hex)") == bytes)
            #expect(try names(in: scratch) == [blob.digest.hex])
        }
    }

    @Test func goesOnWhereItWasEnded() throws {
        try Scratch.with { scratch in
            let bytes = noise(300_000)
            let blob = Blob(digest: Digest(of: bytes), size: 300_000)
            let layout = try LayoutWriter(at: scratch.path)
            do {
                let file = try layout.open(blob)
                try file.append(bytes[..<123_456])
                // Two writers would spoil each other's bytes.
                let fault = #expect(throws: BundleFault.self) { try layout.open(blob) }
                #expect(fault?.description.hasPrefix("could not lock") == true)
            }
            let file = try layout.open(blob)
            #expect(file.offset == 123_456)
            try file.append(bytes[123_456...])
            try file.finish()
            #expect(layout.has(blob))
        }
    }

    @Test func wrongBytesAreThrownAway() throws {
        try Scratch.with { scratch in
            let blob = Blob(digest: Digest(of: [1, 2, 3]), size: 3)
            let layout = try LayoutWriter(at: scratch.path)
            let file = try layout.open(blob)
            try file.append([1, 2, 4])
            let fault = #expect(throws: BundleFault.self) { try file.finish() }
            #expect(fault?.description.hasPrefix("what came as \(blob.digest) has the digest") == true)
            #expect(file.offset == 0)
            try file.append([1, 2, 3])
            try file.finish()
            #expect(layout.has(blob))
        }
    }

    @Test func whatStandsThereIsNotWrittenAgain() throws {
        try Scratch.with { scratch in
            let layout = try LayoutWriter(at: scratch.path)
            let blob = try layout.put([1, 2, 3])
            let path = scratch.path.appending("blobs/sha256/\(blob.digest.hex)")
            let before = try Stat(path).rawValue.st_ino
            try layout.put([1, 2, 3])
            #expect(try Stat(path).rawValue.st_ino == before)
        }
    }

    @Test func theIndexDoesNotDependOnTheOrder() throws {
        try Scratch.with { scratch in
            let layout = try LayoutWriter(at: scratch.path)
            let entries = ["b:1", "a:1", "c:1"].map { name in
                LayoutWriter.Entry(
                    name: name, blob: Blob(digest: Digest(of: name.utf8), size: 3), mediaType: "m",
                    platform: .linuxAMD64)
            }
            try layout.writeIndex(entries)
            let first = try scratch.read("index.json")
            try layout.writeIndex(entries.reversed())
            #expect(try scratch.read("index.json") == first)
            #expect(try scratch.read("oci-layout") == Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        }
    }
}
