import Glibc
import Hosts
import SystemPackage
import Testing

/// What holds of the local transport alone.
@Suite struct LocalTransportTests {
    @Test func moreThanTheBoundIsAnErrorThatSaysSo() async {
        let transport = LocalTransport(largest: 1 << 20)
        let error = await #expect(throws: TransportError.self) {
            try await transport.run(["head", "-c", "3000000", "/dev/zero"])
        }
        #expect(error?.reason == "it wrote more than 1 MiB")
        await #expect(throws: TransportError.self) { try await LocalTransport(largest: 10).read("/etc/passwd") }
    }

    @Test func aChildHasASessionOfItsOwnAndItsSignalsBack() async throws {
        // Session and process group are the fifth and sixth word of stat; the ignored signals are a mask.
        let outcome = try await LocalTransport().run(["sh", "-c", "cat /proc/$$/stat; grep SigIgn /proc/$$/status"])
        let words = outcome.output.split(whereSeparator: \.isWhitespace)
        #expect(words[0] == words[4] && words[0] == words[5])
        let ignored = try #require(words.last.flatMap { UInt64($0, radix: 16) })
        #expect(ignored & (1 << (UInt64(SIGPIPE) - 1)) == 0)
    }

    @Test func aCancelledTaskEndsTheCommand() async throws {
        let start = ContinuousClock.now
        let task = Task { try await LocalTransport().run(["sleep", "60"]) }
        try await Task.sleep(for: .milliseconds(200))
        task.cancel()
        await #expect(throws: TransportError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(50))
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func anUnreadableFolderIsAnErrorNotAnAbsence() async {
        await #expect(throws: TransportError.self) { try await LocalTransport().list("/root") }
    }

    /// Each waits for all others.
    @Test func manyCommandsRunSideBySide() async throws {
        let transport = LocalTransport()
        let folder = try await transport.run(["mktemp", "--directory"]).output.filter { $0 != "\n" }
        let script = #"touch "$0/$1"; until [ "$(ls "$0" | wc -l)" = 8 ]; do sleep 0.05; done"#
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for number in 0..<8 {
                let command = Command(["sh", "-c", script, folder, "\(number)"], limit: .seconds(120))
                group.addTask { try await transport.run(command).status }
            }
            for try await status in group { #expect(status == 0) }
        }
        #expect(try await transport.run(["rm", "-r", folder]).status == 0)
    }
}
