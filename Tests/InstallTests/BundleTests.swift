import Bundles
import Images
import SystemPackage
import Testing

@testable import Install

@Suite struct BundleTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }
    private var bundle: Bundle { Bundle(at: folder.path, extraArchives: ["/media/usb/own.tar"]) }

    @Test func aSnapIsFoundWithItsAssertion() throws {
        for name in ["microk8s_8142.snap", "microk8s_8142.assert", "my_snap_x1.snap", "README", "odd.snap"] {
            try folder.put("snaps/\(name)")
        }
        let snaps = try bundle.snaps()
        #expect(snaps.map(\.name) == ["microk8s", "my_snap"])
        #expect(snaps.map(\.revision) == ["8142", "x1"])
        #expect(snaps.map(\.assertion?.lastComponent?.string) == ["microk8s_8142.assert", nil])
        #expect(snaps[0].file == folder.path.pushing("snaps/microk8s_8142.snap"))
    }

    @Test func aChartIsFoundByItsVersion() throws {
        try folder.put("charts/jupyterhub-4.2.0.tgz")
        #expect(try bundle.chart("jupyterhub", version: "4.2.0") == folder.path.pushing("charts/jupyterhub-4.2.0.tgz"))
        #expect(try bundle.chart("jupyterhub", version: "4.2.1") == nil)
    }

    @Test func packagesAreListedInOrder() throws {
        for name in ["nginx_1.deb", "libpcre_1.deb", "Packages"] { try folder.put("packages/\(name)") }
        #expect(try bundle.packages().map(\.lastComponent?.string) == ["libpcre_1.deb", "nginx_1.deb"])
    }

    @Test func archivesAreFoundByTheirEndings() throws {
        for name in ["b.tar", "a.tar.gz", "c.tgz", "d.tar.zst", "README.md", "e.iso", "snaps/no.tar"] {
            try folder.put(name)
        }
        let names = try bundle.archives().map(\.lastComponent?.string)
        #expect(names == ["a.tar.gz", "b.tar", "c.tgz", "d.tar.zst", "own.tar"])
    }

    @Test func foldersThatAreMissingHoldNothing() throws {
        #expect(try bundle.snaps().isEmpty)
        #expect(try bundle.packages().isEmpty)
        #expect(try bundle.chart("jupyterhub", version: "4.2.0") == nil)
        #expect(bundle.exists)
        #expect(!Bundle(at: folder.path.appending("none")).exists)
        let file = try folder.put("file")
        #expect(!Bundle(at: file).exists)
    }

    @Test func whatIsNoFolderIsAnError() throws {
        try folder.put("snaps", "a file")
        let error = #expect(throws: BundleError.self) { try bundle.snaps() }
        #expect(error?.description.hasPrefix("could not read the folder \(folder.path)/snaps: ") == true)
    }

    @Test func aBundleWithAListIsFoundByIt() throws {
        let made = try TestBundle()
        let bundle = try made.opened()
        #expect(bundle.folder?.description.created == TestBundle.date)
        #expect(try bundle.snaps().map(\.file) == [made.snap])
        #expect(try bundle.chart("jupyterhub", version: "4.2.0") == made.path.pushing("charts/jupyterhub-4.2.0.tgz"))
        #expect(try bundle.archives() == [])
        let images = try bundle.shelf().images()
        #expect(images.map { $0.names.map(\.description) } == [[TestBundle.image]])
    }

    @Test func whatIsNoBundleIsAnError() throws {
        let error = #expect(throws: BundleError.self) { try Bundle(opening: folder.path.appending("none")) }
        #expect(error?.description.hasPrefix("there is no bundle directory \(folder.path)/none: ") == true)
    }
}
