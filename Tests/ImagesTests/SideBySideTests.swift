import Dispatch
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Several nodes at once: each has a store of its own, and all of it comes from the same archives.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SideBySideTests {
    private func withTwo(
        _ body: (PrivateContainerd, PrivateContainerd, ArchivedImage) async throws -> Void
    ) async throws {
        try await PrivateContainerd.with { one in
            try await PrivateContainerd.with { other in
                try await body(one, other, try one.image("large.tar", Sample.large.docker))
            }
        }
    }

    private func load(_ image: ArchivedImage, into store: ContainerdStore) async throws {
        _ = try await store.load([try #require(Holdings().lacks(image))], LoadListener())
    }

    @Test func oneThatTakesNothingMoreHoldsNoneOfTheOthers() async throws {
        try await withTwo { slow, quick, image in
            let otherIsWhole = DispatchSemaphore(value: 0)
            let gateway = try Gateway(
                at: slow.folder.path.appending("slow.sock"), to: slow.socket, after: 1 << 20
            ) { otherIsWhole.wait() }
            async let late: Void = load(image, into: ContainerdStore(on: "slow", at: gateway.path))
            try await load(image, into: quick.store)
            #expect(try await quick.store.holdings().lacks(image) == nil)
            #expect(try await slow.store.holdings().lacks(image)?.lacks.contains(.content) == true)
            otherIsWhole.signal()
            try await late
            #expect(try await slow.store.holdings().lacks(image) == nil)
            gateway.close()
        }
    }

    @Test func oneThatIsCutOffFailsAlone() async throws {
        try await withTwo { cut, whole, image in
            let gateway = try Gateway(
                at: cut.folder.path.appending("cut.sock"), to: cut.socket, cutAfter: 1 << 20)
            async let other: Void = load(image, into: whole.store)
            await #expect(throws: ImageError.self) {
                try await load(image, into: ContainerdStore(on: "cut", at: gateway.path))
            }
            try await other
            #expect(try await whole.store.holdings().lacks(image) == nil)
            gateway.close()
        }
    }

    /// Whoever reads is never further ahead of whoever sends than a few pieces: that is all of a blob that is in memory.
    @Test func theReaderWaitsForTheSender() async throws {
        let pipe = Pipe()
        let put = Mutex(0)
        DispatchQueue(label: "reader").async {
            for _ in 0..<1000 {
                put.withLock { $0 += 1 }
                try? pipe.put([1])
            }
            pipe.finish()
        }
        var taken = 0
        while try pipe.next() != nil {
            taken += 1
            // Four lie in the pipe, and one more is in the reader's hand.
            #expect(put.withLock(\.self) - taken <= 5)
        }
        #expect(taken == 1000)
    }

    /// Small blobs do not pile up in memory either: two are under way at a time.
    @Test func blobsDoNotPileUp() async throws {
        let belt = Belt<Int>()
        let put = Mutex(0)
        DispatchQueue(label: "reader").async {
            for number in 1...1000 {
                belt.waitForRoom()
                put.withLock { $0 = number }
                _ = belt.put(number)
            }
            belt.finish()
        }
        var taken = 0
        for await number in belt.parcels {
            taken += 1
            #expect(number == taken)
            #expect(put.withLock(\.self) - taken < 2)
            belt.clear()
        }
        #expect(taken == 1000)
    }

    @Test func nothingIsPutWhereNobodyTakesAnyMore() async throws {
        let belt = Belt<Int>()
        let taking = Task { for await _ in belt.parcels {} }
        taking.cancel()
        await taking.value
        #expect(!belt.put(1))
    }
}
