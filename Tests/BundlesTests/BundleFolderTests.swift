import FoundationEssentials
import Glibc
import Images
import SystemPackage
import Testing

@testable import Bundles

@Suite struct BundleFolderTests {
    @Test func findsWhatWasWritten() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch, layerSize: 5 << 20)
            let folder = try BundleFolder(opening: sample.path)
            #expect(try folder.listing() == [])
            #expect(folder.volumes == nil)
            #expect(folder.description.images == [sample.image])
            #expect(
                folder.description.files.map(\.path).filter { !$0.hasPrefix("images/blobs") } == [
                    "charts/jupyterhub-4.2.0.tgz", "images/index.json", "images/oci-layout",
                ])
            let layer = try #require(folder.file(of: sample.image.blobs[2].digest))
            #expect(layer.path == sample.layer)
            #expect(
                folder.pieces(of: layer) == [
                    Piece(file: sample.path.pushing(FilePath(sample.layer)), offset: 0, length: 5 << 20)
                ])
            // One checkpoint: between the layer's two chunks.
            #expect(folder.description.checkpoints.size == 32)
        }
    }

    @Test func whatIsMissingStrangeOrOfAnotherSizeIsNamedAtOnce() throws {
        try Scratch.with { scratch in
            let sample = try SampleBundle(in: scratch)
            try scratch.write("bundle/\(sample.layer)", [1, 2, 3])
            try scratch.remove("bundle/charts/jupyterhub-4.2.0.tgz")
            try scratch.remove("bundle/bundle.checkpoints")
            try scratch.write("bundle/charts/more.tgz", "?")
            try scratch.write("bundle/.Trash/more", "?")
            try scratch.write("bundle/lost+found/more", "?")
            #expect(symlink("/etc/hostname", sample.path.appending("link").string) == 0)
            try scratch.remove("bundle/images/oci-layout")
            #expect(symlink("index.json", sample.path.appending("images/oci-layout").string) == 0)
            let found = try BundleFolder(opening: sample.path).listing()
            let layer = sample.path.pushing(FilePath(sample.layer))
            #expect(
                Set(found) == [
                    .size(sample.layer, at: layer, is: 3, shouldBe: 1000), .missing("charts/jupyterhub-4.2.0.tgz"),
                    .missing("bundle.checkpoints"), .stranger(sample.path.appending("charts/more.tgz")),
                    .stranger(sample.path.appending("link")), .noFile(sample.path.appending("images/oci-layout")),
                ])
            #expect(found.count == 6)
        }
    }

    @Test func aDirectoryWithoutABundleIsRefused() throws {
        try Scratch.with { scratch in
            let fault = #expect(throws: BundleFault.self) { try BundleFolder(opening: scratch.path) }
            #expect(fault?.description.hasPrefix("there is no bundle.json in \(scratch.path)") == true)
            #expect(fault?.blame == .bundle)
            let missing = #expect(throws: BundleFault.self) { try BundleFolder(opening: "/nowhere/at/all") }
            #expect(missing?.description == "could not read the directory /nowhere/at/all: No such file or directory")
        }
    }
}
