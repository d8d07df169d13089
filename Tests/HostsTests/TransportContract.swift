import Glibc
import Hosts
import Synchronization
import SystemPackage
import Testing

/// A transport under test, and how to get one.
struct Subject: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var open: @Sendable () async throws -> any Transport

    var transport: any Transport { get async throws { try await open() } }

    static let all = [Subject(testDescription: "local") { LocalTransport() }] + (SSHServer.canRun ? overSSH : [])

    /// As root, and as a user whose shell prints a greeting and who has to ask sudo.
    private static let overSSH = [
        Subject(testDescription: "root over SSH") { try await SSHServer.shared.root },
        Subject(testDescription: "sudo over SSH") { try await SSHServer.shared.bob },
    ]
}

/// What every transport promises of commands.
@Suite struct TransportContract {
    @Test(arguments: Subject.all)
    func aStatusIsAnAnswer(subject: Subject) async throws {
        let outcome = try await subject.transport.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(outcome == Outcome(status: 3, output: "out\n", errors: "err\n"))
    }

    @Test(arguments: Subject.all)
    func aSignalIsAStatusAsInAShell(subject: Subject) async throws {
        #expect(try await subject.transport.run(["sh", "-c", "kill -9 $$"]).status == 137)
    }

    @Test(arguments: Subject.all)
    func argumentsAreNoShell(subject: Subject) async throws {
        let words = ["a b", "$HOME", "it's", "*", "", "é\n;"]
        let outcome = try await subject.transport.run(Command(["printf", "%s|"] + words))
        #expect(outcome.output == words.map { "\($0)|" }.joined())
    }

    @Test(arguments: Subject.all)
    func bothStreamsMayBeLargeAtOnce(subject: Subject) async throws {
        let line = "head -c 3000000 /dev/zero | tr '\\0' o & head -c 3000000 /dev/zero | tr '\\0' e >&2; wait"
        let outcome = try await subject.transport.run(["sh", "-c", line])
        #expect(outcome.status == 0 && outcome.output.utf8.count == 3_000_000 && outcome.errors.utf8.count == 3_000_000)
    }

    @Test(arguments: Subject.all)
    func inputReachesTheProgram(subject: Subject) async throws {
        let input = (0..<300_000).map { UInt8($0 % 251) }
        let outcome = try await subject.transport.run(Command(["wc", "-c"], input: input))
        #expect(outcome.output.filter(\.isNumber) == "300000")
    }

    @Test(arguments: Subject.all)
    func aProgramNeedNotReadItsInput(subject: Subject) async throws {
        let input = [UInt8](repeating: 7, count: 1 << 20)
        #expect(try await subject.transport.run(Command(["true"], input: input)) == Outcome())
    }

    @Test(arguments: Subject.all)
    func withoutInputAProgramSeesItsEnd(subject: Subject) async throws {
        #expect(try await subject.transport.run(["cat"]) == Outcome())
    }

    @Test(arguments: Subject.all)
    func aCommandPastItsLimitIsEnded(subject: Subject) async throws {
        let start = ContinuousClock.now
        let command = ["sleep", "60.\(UInt32.random(in: .min ... .max))"]
        let error = await #expect(throws: TransportError.self) {
            try await subject.transport.run(Command(command, limit: .milliseconds(300)))
        }
        #expect(error?.reason.contains("limit") == true)
        #expect(ContinuousClock.now - start < .seconds(40))
        #expect(try await LocalTransport().run(["pgrep", "-xf", command.joined(separator: " ")]).output == "")
    }

    @Test(arguments: Subject.all)
    func aCommandThatIgnoresTheFirstSignalIsKilled(subject: Subject) async throws {
        let start = ContinuousClock.now
        await #expect(throws: TransportError.self) {
            let stubborn = "trap '' TERM; while :; do sleep 0.1; done"
            return try await subject.transport.run(Command(["sh", "-c", stubborn], limit: .milliseconds(300)))
        }
        #expect(ContinuousClock.now - start < .seconds(40))
    }

    @Test(arguments: Subject.all)
    func aMissingProgramIsAnError(subject: Subject) async {
        for program in ["no-such-program-here", "/no/such/program"] {
            let error = await #expect(throws: TransportError.self) { try await subject.transport.run([program, "-x"]) }
            #expect(error?.attempt == "run \(program) -x")
            #expect(error.map { !"\($0)".contains("\n") } == true)
        }
    }

    @Test(arguments: Subject.all)
    func theEnvironmentIsSmallAndTheCommandsOwnIsAdded(subject: Subject) async throws {
        var command: Command = ["env"]
        command.environment = ["KUBECONFIG": "/x y", "LANG": "C"]
        let outcome = try await subject.transport.run(command)
        let lines = Set(outcome.output.split(separator: "\n").map(String.init))
        #expect(lines.isSuperset(of: ["KUBECONFIG=/x y", "LANG=C"]))
        #expect(lines.contains { $0.hasPrefix("PATH=") && $0.contains("/snap/bin") && $0.contains("/usr/sbin") })
        #expect(lines.count < 12)
    }

    @Test(arguments: Subject.all)
    func aBackgroundChildThatKeepsTheStreamsHoldsNobody(subject: Subject) async throws {
        let outcome = try await subject.transport.run(["sh", "-c", "sleep 600 & echo $!"])
        let child = try #require(outcome.output.split(separator: "\n").first)
        // It still sleeps.
        #expect(try await subject.transport.run(["kill", String(child)]).status == 0)
    }
}

/// What every transport promises of a command that is fed.
@Suite struct FeedContract {
    @Test(arguments: Subject.all)
    func everyPieceArrivesInOrder(subject: Subject) async throws {
        let outcome = try await subject.transport.run(["cksum"]) { sink in
            for piece in 0..<64 { try await sink.write([UInt8](repeating: UInt8(piece), count: 100_000)) }
        }
        var whole: [UInt8] = []
        for piece in 0..<64 { whole += [UInt8](repeating: UInt8(piece), count: 100_000) }
        #expect(try await subject.transport.run(Command(["cksum"], input: whole)) == outcome)
    }

    @Test(arguments: Subject.all)
    func theFeederWaitsForASlowProgram(subject: Subject) async throws {
        let (written, most) = (Count(), Count())
        let outcome = try await subject.transport.run(["sh", "-c", "sleep 1; wc -c"]) { sink in
            async let peek: Void = {
                try await Task.sleep(for: .milliseconds(500))
                most.add(written.value)
            }()
            for _ in 0..<160 {
                try await sink.write([UInt8](repeating: 1, count: 1 << 16))
                written.add(1 << 16)
            }
            try await peek
        }
        #expect(outcome.output.filter(\.isNumber) == "\(10 << 20)")
        // What pipes and windows hold.
        #expect(most.value < 4 << 20)
    }

    @Test(arguments: Subject.all)
    func bothOutputsAreDrainedMeanwhile(subject: Subject) async throws {
        let outcome = try await subject.transport.run(["sh", "-c", "tee /dev/stderr"]) { sink in
            for _ in 0..<32 { try await sink.write([UInt8](repeating: 0x61, count: 1 << 16)) }
        }
        #expect(outcome.output.utf8.count == 2 << 20 && outcome.errors.utf8.count == 2 << 20)
    }

    @Test(arguments: Subject.all)
    func aProgramThatEndsEarlySaysWhyToTheFeeder(subject: Subject) async throws {
        let error = await #expect(throws: TransportError.self) {
            try await subject.transport.run(["sh", "-c", "echo 'bad header' >&2; exit 4"]) { sink in
                while true { try await sink.write([UInt8](repeating: 1, count: 1 << 16)) }
            }
        }
        #expect(error?.reason == "bad header")
    }

    @Test(arguments: Subject.all)
    func aFeederThatBearsItGetsTheOutcome(subject: Subject) async throws {
        let outcome = try await subject.transport.run(["sh", "-c", "echo 'bad header' >&2; exit 4"]) { sink in
            do {
                while true { try await sink.write([UInt8](repeating: 1, count: 1 << 16)) }
            } catch {}
        }
        #expect(outcome == Outcome(status: 4, errors: "bad header\n"))
    }

    @Test(arguments: Subject.all)
    func whatTheFeederThrowsComesOutAndEndsTheProgram(subject: Subject) async throws {
        struct Torn: Error {}
        let start = ContinuousClock.now
        await #expect(throws: Torn.self) {
            try await subject.transport.run(["sh", "-c", "cat >/dev/null; sleep 60"]) { sink in
                try await sink.write([1, 2, 3])
                throw Torn()
            }
        }
        #expect(ContinuousClock.now - start < .seconds(40))
    }
}

private final class Count: Sendable {
    private let atomic = Atomic(0)
    var value: Int { atomic.load(ordering: .relaxed) }
    func add(_ amount: Int) { atomic.add(amount, ordering: .relaxed) }
}
