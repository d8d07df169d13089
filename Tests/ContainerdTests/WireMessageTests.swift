import Testing

@testable import Containerd

@Suite struct WireMessageTests {
    /// The examples of protobuf.dev/programming-guides/encoding.
    @Test func numbersAndTextsAreWrittenAsTheGuideShows() throws {
        var message = WireMessage()
        message.set(1, 150)
        #expect(message.encoded == [0x08, 0x96, 0x01])
        message = WireMessage()
        message.set(2, "testing")
        #expect(message.encoded == [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67])
        var outer = WireMessage()
        var inner = WireMessage()
        inner.set(1, 150)
        outer.add(3, inner)
        #expect(outer.encoded == [0x1a, 0x03, 0x08, 0x96, 0x01])
    }

    @Test(arguments: [0, 1, 127, 128, 300, 1 << 35, .max, -1] as [Int64])
    func numbersComeBack(number: Int64) throws {
        var message = WireMessage()
        message.set(5, number)
        #expect(try WireMessage(parsing: message.encoded[...]).number(5) == number)
    }

    @Test func whatIsDefaultIsLeftOutAndReadAsSuch() throws {
        var message = WireMessage()
        message.set(1, 0)
        message.set(2, "")
        message.set(3, [])
        message.set(4, [String: String]())
        #expect(message.encoded.isEmpty)
        let read = try WireMessage(parsing: [])
        #expect(read.number(1) == 0 && read.text(2).isEmpty && read.bytes(3).isEmpty)
        #expect(try read.map(4).isEmpty && read.messages(5).isEmpty)
    }

    @Test func mapsAndListsComeBack() throws {
        var message = WireMessage()
        let labels = ["containerd.io/gc.ref.content.l.0": "sha256:a", "empty": ""]
        message.set(7, labels)
        message.add(1, "one")
        message.add(1, "two")
        let read = try WireMessage(parsing: message.encoded[...])
        #expect(try read.map(7) == labels)
        #expect(read.text(1) == "two")
        #expect(read == message)
    }

    @Test func fieldsOfOtherKindsAreSkipped() throws {
        // Field 1 with eight bytes, field 2 with four, then field 3 = 7.
        let bytes: [UInt8] = [0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 7]
        #expect(try WireMessage(parsing: bytes[...]).number(3) == 7)
    }

    @Test(
        arguments: [
            [0x08], [0x08, 0x80], [0x0a, 0x05, 0x01], [0x0b], [0x00, 0x01], [0x09, 1, 2],
            [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] as [[UInt8]])
    func whatIsNoMessageIsAnError(bytes: [UInt8]) {
        #expect(throws: WireError.self) { try WireMessage(parsing: bytes[...]) }
    }

    /// Any bytes are a message or an error, and a message is read as it was written.
    @Test func nothingTraps() {
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int(state >> 60) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 56))
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            guard let message = try? WireMessage(parsing: bytes[...]) else { continue }
            #expect((try? WireMessage(parsing: message.encoded[...])) == message)
            _ = try? message.messages(1)
        }
    }
}
