import Testing

@testable import Hosts

@Suite struct MarkedStreamTests {
    private func fed(_ text: String, inPiecesOf size: Int) -> MarkedStream {
        var stream = MarkedStream(mark: "~mark")
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) { stream.append(bytes[start...].prefix(size)) }
        return stream
    }

    @Test(arguments: 1...24)
    func whatStandsBetweenTheMarksCountsHoweverItComes(size: Int) {
        let stream = fed("hello ~mar\n~markone ~mar two~~markS3\nlater", inPiecesOf: size)
        #expect(stream.hasBegun && stream.end == "S3")
        #expect(String(decoding: stream.bytes, as: UTF8.self) == "one ~mar two~")
        #expect(String(decoding: stream.surplus, as: UTF8.self) == "later")
    }

    @Test func withoutItsLineTheEndIsNotKnown() {
        #expect(fed("~markoutput~markS", inPiecesOf: 3).end == nil)
        #expect(!fed("a greeting", inPiecesOf: 3).hasBegun)
    }

    @Test func aPromptIsTakenOutOnce() {
        var stream = fed("No mail.\n~ask", inPiecesOf: 5)
        #expect(stream.take(prompt: "~ask") && !stream.take(prompt: "~ask"))
        stream.append(Array("~markdone~markS0\n".utf8))
        #expect(stream.end == "S0" && stream.bytes == Array("done".utf8))
    }
}
