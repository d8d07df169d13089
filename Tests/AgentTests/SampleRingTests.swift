import SystemPackage
import Testing

@testable import Agent

@Suite struct SampleRingTests {
    private let folder: Folder
    private var path: FilePath { folder.path.appending("samples") }
    init() throws { folder = try Folder() }

    private func ring(_ bytes: Int = 1 << 20) throws -> SampleRing {
        try SampleRing(in: path, bytes: bytes, began: 1000)
    }
    private func text(_ number: UInt64) -> [UInt8] { Array("{\"number\":\(number)}".utf8) }
    private func files() throws -> [FilePath] { try Disk.names(in: path).sorted().map { path.appending($0) } }

    @Test func theChecksumIsTheUsualOne() { #expect(Checksum.crc32(Array("123456789".utf8)) == 0xcbf4_3926) }

    @Test func whoWasAwayCatchesUp() throws {
        let ring = try ring()
        #expect(ring.last == nil)
        #expect(try ring.samples(after: 0, bytes: 100) == [])
        for _ in 0..<5 { try ring.append(text) }
        #expect(ring.last == 1004)
        #expect(try ring.samples(after: 0, bytes: 1 << 20).map(\.number) == [1000, 1001, 1002, 1003, 1004])
        #expect(try ring.samples(after: 1002, bytes: 1 << 20).map(\.sample) == [text(1003), text(1004)])
        #expect(try ring.samples(after: 1004, bytes: 1 << 20) == [])
    }

    @Test func anAnswerIsBoundedAndNeverEmptyWhereThereIsMore() throws {
        let ring = try ring()
        for _ in 0..<5 { try ring.append(text) }
        #expect(try ring.samples(after: 0, bytes: 35).map(\.number) == [1000, 1001])
        #expect(try ring.samples(after: 1001, bytes: 1).map(\.number) == [1002])
    }

    @Test func itGoesOnAfterARestart() throws {
        try ring().append(text)
        let again = try ring()
        try again.append(text)
        #expect(try again.samples(after: 0, bytes: 1 << 20).map(\.number) == [1000, 1001])
    }

    /// As a power cut may leave it: a part of the last line, or zeros in its place.
    @Test(arguments: [1, 5, 20, 29]) func aTornTailIsCutOff(_ left: Int) throws {
        let first = try ring()
        for _ in 0..<3 { try first.append(text) }
        let file = try files()[0]
        let whole = try #require(try Disk.contents(of: file))
        let length = whole.count / 3
        for tail in [Array(whole[(2 * length)...].prefix(left)), Array(repeating: UInt8(0), count: left)] {
            try Disk.replace(file, with: Array(whole[..<(2 * length)]) + tail, mode: .ownerReadWrite)
            let again = try ring()
            #expect(again.last == 1001)
            #expect(try Disk.contents(of: file)?.count == 2 * length)
            try again.append(text)
            #expect(try again.samples(after: 0, bytes: 1 << 20).map(\.number) == [1000, 1001, 1002])
        }
    }

    @Test func aSpoiledLineIsLeftOutAndNothingElse() throws {
        let first = try ring()
        for _ in 0..<3 { try first.append(text) }
        let file = try files()[0]
        var bytes = try #require(try Disk.contents(of: file))
        bytes[bytes.count / 3 + 20] ^= 1
        try Disk.replace(file, with: bytes, mode: .ownerReadWrite)
        #expect(try ring().samples(after: 0, bytes: 1 << 20).map(\.number) == [1000, 1002])
    }

    @Test func theOldestGoWhenItIsFull() throws {
        let bytes = 64 * 100
        let ring = try ring(bytes)
        for _ in 0..<2000 { try ring.append(text) }
        let size = try files().reduce(0) { sum, file in sum + (try Disk.contents(of: file)?.count ?? 0) }
        // A file may be begun a byte before it is full.
        #expect(size <= bytes + SampleRing.segments * 40)
        #expect(try files().count == SampleRing.segments)
        let numbers = try ring.samples(after: 0, bytes: 1 << 20).map(\.number)
        #expect(numbers.last == 2999)
        #expect(numbers == Array((numbers.first ?? 0)...2999))
        // Whoever asks from before the ring's beginning gets what there is.
        #expect(try ring.samples(after: 1001, bytes: 1).map(\.number) == [numbers[0]])
    }

    @Test func aFileThatWasBegunAndHasNothingInItIsGoneOnWith() throws {
        try ring(64).append(text)
        try Disk.create(path.appending("1001.samples"))
        let again = try ring(64)
        #expect(again.last == 1000)
        try again.append(text)
        #expect(try again.samples(after: 0, bytes: 1 << 20).map(\.number) == [1000, 1001])
    }

    @Test func aFolderThatCannotBeIsSaid() throws {
        try folder.write("samples", "a file")
        let error = try #require(throws: RingError.self) { try ring() }
        #expect(error.description.hasPrefix("could not open the samples in \(path): "))
    }
}
