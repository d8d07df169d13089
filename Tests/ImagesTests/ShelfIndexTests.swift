import FoundationEssentials
import Images
import SystemPackage
import Testing

@Suite struct ShelfIndexTests {
    @Test func aSecondLookOpensNoArchive() async throws {
        try await Folder.with { folder in
            let one = try folder.write("one.tar", Sample("a").docker)
            let two = try folder.write("two.tar", Sample("b", layers: ["other"]).multiPlatform)
            let first = try folder.shelf(one, two).images()
            // Same file as far as `stat` knows, and no archive any more.
            try overwrite(one, at: 0, [UInt8](repeating: 0xff, count: 4096))
            #expect(try folder.shelf(one, two).images() == first)
            try FileManager.default.removeItem(atPath: folder.path.appending("index.json").string)
            #expect(throws: ImageError.self) { try folder.shelf(one, two).images() }
        }
    }

    @Test func anArchiveThatChangedIsReadAgain() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample("a").docker)
            _ = try folder.shelf(archive).images()
            let index = try contents(of: folder.path.appending("index.json"))
            _ = try folder.write("a.tar", Sample("b").docker)
            #expect(try folder.shelf(archive).images().flatMap(\.names).map(\.repository) == ["library/b"])
            #expect(try contents(of: folder.path.appending("index.json")) != index)
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"form":0,"archives":{}}"#, "\u{0}\u{1}"])
    func aDamagedIndexIsNoError(text: String) async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().docker)
            let first = try folder.shelf(archive).images()
            let good = try contents(of: folder.path.appending("index.json"))
            _ = try folder.write("index.json", Array(text.utf8))
            #expect(try folder.shelf(archive).images() == first)
            #expect(try contents(of: folder.path.appending("index.json")) == good)
        }
    }

    @Test func anIndexThatClaimsTheImpossibleIsNotBelieved() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().docker)
            let first = try folder.shelf(archive).images()
            let text = String(decoding: try contents(of: folder.path.appending("index.json")), as: UTF8.self)
            let size = try #require(first.first?.blobs.last?.size)
            let lie = text.replacing("\"size\":\(size)", with: "\"size\":\(Int64.max)")
            #expect(lie != text)
            _ = try folder.write("index.json", Array(lie.utf8))
            #expect(try folder.shelf(archive).images() == first)
        }
    }

    @Test func theIndexIsForAllToReadAndLeavesNothingBeside() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().docker)
            _ = try folder.shelf(archive).images()
            let stat = try Stat(folder.path.appending("index.json"))
            #expect(stat.permissions == [.ownerReadWrite, .groupRead, .otherRead])
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path.string)
            #expect(names.sorted() == ["a.tar", "index.json"])
        }
    }

    @Test func theIndexMakesItsFolder() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().docker)
            let index = folder.path.appending("cache").appending("index.json")
            let first = try ImageShelf(archives: [archive], index: index).images()
            try overwrite(archive, at: 0, [UInt8](repeating: 0xff, count: 4096))
            #expect(try ImageShelf(archives: [archive], index: index).images() == first)
        }
    }

    @Test func withoutAPlaceForTheIndexTheArchivesAreStillRead() async throws {
        try await Folder.with { folder in
            let archive = try folder.write("a.tar", Sample().docker)
            let shelf = ImageShelf(archives: [archive], index: folder.path.appending("no/such/folder/index.json"))
            #expect(try shelf.images().count == 1)
        }
    }
}
