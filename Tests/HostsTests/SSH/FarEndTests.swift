import Testing

@testable import Hosts

/// The program itself, with no connection before it.
@Suite struct FarEndTests {
    @Test func aCommandMayEndBeforeAnybodyReads() async throws {
        let end = FarEnd()
        // The first fills the pipe to us, of 16 pages with the mark in one of them: not a byte of the second goes in.
        let command = "head -c 61440 /dev/zero; sleep 0.3; head -c 40000 /dev/zero; sleep 0.3"
        let request = FarEnd.request(["run", "0", "sh", "-c", command])
        // The end of its input would be that of the command, too.
        let line = "{ cat; sleep 8; } | (\(end.line(.none))) 2>/dev/null | { sleep 2; cat; }"
        let outcome = try await LocalTransport().run(
            Command(["sh", "-c", line], input: FarEnd.program + request + [0, 0, 0, 0]))
        #expect(outcome.output == "\(end.mark)\(String(repeating: "\0", count: 101_440))\(end.mark)S0\n")
    }
}
