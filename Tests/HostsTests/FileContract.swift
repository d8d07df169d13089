import Glibc
import Hosts
import SystemPackage
import Testing

/// What every transport promises of files.
@Suite struct FileContract {
    private static let me = Owner(user: geteuid(), group: getegid())

    private func file(_ path: FilePath, _ text: String, _ mode: CModeT = 0o644) -> File {
        File(path, text, permissions: FilePermissions(rawValue: mode), owner: Self.me)
    }

    /// A folder of the test's own, removed afterwards.
    private func scratch(_ subject: Subject, _ body: (FilePath) async throws -> Void) async throws {
        let made = try await subject.transport.run(["mktemp", "-d", "/tmp/jhub-contract.XXXXXX"])
        let folder = FilePath(made.output.filter { !$0.isNewline })
        try #require(folder.components.count == 2)
        do {
            try await body(folder)
        } catch {
            _ = try await subject.transport.run(["rm", "-rf", folder.string])
            throw error
        }
        _ = try await subject.transport.run(["rm", "-rf", folder.string])
    }

    @Test(arguments: Subject.all)
    func aFileStandsAsItWasSaid(subject: Subject) async throws {
        try await scratch(subject) { folder in
            let path = folder.appending("a/b/c.conf")
            try await subject.transport.write(file(path, "grüße\n", 0o640))
            #expect(try await subject.transport.read(path) == Array("grüße\n".utf8))
            let state = try await subject.transport.state(of: path)
            let mode = FilePermissions(rawValue: 0o640)
            #expect(state == FileState(kind: .file, size: 8, permissions: mode, owner: Self.me))
            let above = try await subject.transport.state(of: folder.appending("a"))
            #expect(above?.kind == .directory && above?.permissions.rawValue == 0o755)
        }
    }

    @Test(arguments: Subject.all)
    func whatIsNotThereIsNoError(subject: Subject) async throws {
        try await scratch(subject) { folder in
            let path = folder.appending("no/such")
            #expect(try await subject.transport.read(path) == nil)
            #expect(try await subject.transport.state(of: path) == nil)
            #expect(try await subject.transport.list(path) == nil)
            try await subject.transport.remove(path)
        }
    }

    @Test(arguments: Subject.all)
    func readersSeeTheOldFileOrTheNew(subject: Subject) async throws {
        try await scratch(subject) { folder in
            let path = folder.appending("x")
            let texts = ["a", "b"].map { String(repeating: $0, count: 200_000) }
            try await subject.transport.write(file(path, texts[0]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [self] in
                    for round in 0..<20 { try await subject.transport.write(file(path, texts[round % 2])) }
                }
                group.addTask {
                    for _ in 0..<100 {
                        let bytes = try #require(try await subject.transport.read(path))
                        #expect(bytes.count == 200_000 && Set(bytes).count == 1)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await subject.transport.list(folder) == ["x"])
        }
    }

    @Test(arguments: Subject.all)
    func aLinkIsReplacedNotFollowed(subject: Subject) async throws {
        try await scratch(subject) { folder in
            let (victim, path) = (folder.appending("victim"), folder.appending("conf"))
            try await subject.transport.write(file(victim, "mine"))
            _ = try await subject.transport.run(["ln", "-s", victim.string, path.string])
            #expect(try await subject.transport.state(of: path)?.kind == .link(to: victim))
            try await subject.transport.write(file(path, "yours"))
            #expect(try await subject.transport.read(victim) == Array("mine".utf8))
            #expect(try await subject.transport.state(of: path)?.kind == .file)
            // The link goes, not what it leads to.
            _ = try await subject.transport.run(["ln", "-sf", victim.string, path.string])
            try await subject.transport.remove(path)
            #expect(try await subject.transport.list(folder) == ["victim"])
        }
    }

    @Test(arguments: Subject.all)
    func aFolderIsMadeOnceAndMended(subject: Subject) async throws {
        try await scratch(subject) { folder in
            let path = folder.appending("deep/er")
            for mode: CModeT in [0o1770, 0o700] {
                let wanted = Directory(path, permissions: FilePermissions(rawValue: mode), owner: Self.me)
                try await subject.transport.make(wanted)
                let state = try await subject.transport.state(of: path)
                #expect(state?.kind == .directory && state?.permissions.rawValue == mode)
            }
            #expect(try await subject.transport.state(of: folder.appending("deep"))?.permissions.rawValue == 0o755)
            try await subject.transport.remove(path)
            #expect(try await subject.transport.list(folder.appending("deep")) == [])
        }
    }

    @Test(arguments: Subject.all)
    func aFolderIsNotMadeThroughALinkNorOverAFile(subject: Subject) async throws {
        try await scratch(subject) { folder in
            _ = try await subject.transport.run(["ln", "-s", "/tmp", folder.appending("link").string])
            try await subject.transport.write(file(folder.appending("file"), ""))
            for name in ["link", "file"] {
                let wanted = Directory(folder.appending(name), permissions: [.ownerReadWriteExecute], owner: Self.me)
                await #expect(throws: TransportError.self) { try await subject.transport.make(wanted) }
            }
        }
    }

    @Test(arguments: Subject.all)
    func aFolderWithSomethingInItIsNotRemoved(subject: Subject) async throws {
        try await scratch(subject) { folder in
            try await subject.transport.write(file(folder.appending("d/x"), ""))
            let error = await #expect(throws: TransportError.self) {
                try await subject.transport.remove(folder.appending("d"))
            }
            #expect(error?.reason == "Directory not empty")
        }
    }

    @Test(arguments: Subject.all)
    func aFailedWriteLeavesNothingBehind(subject: Subject) async throws {
        try await scratch(subject) { folder in
            let path = folder.appending("taken")
            _ = try await subject.transport.run(["mkdir", path.string])
            await #expect(throws: TransportError.self) { try await subject.transport.write(file(path, "x")) }
            #expect(try await subject.transport.list(folder) == ["taken"])
        }
    }

    @Test(arguments: Subject.all)
    func filesWithoutASizeAreReadWhole(subject: Subject) async throws {
        let bytes = try #require(try await subject.transport.read("/proc/self/status"))
        #expect(bytes.count > 100)
    }

    @Test(arguments: Subject.all)
    func aFolderIsNoFile(subject: Subject) async {
        await #expect(throws: TransportError.self) { try await subject.transport.read("/etc") }
        await #expect(throws: TransportError.self) { try await subject.transport.list("/etc/passwd") }
    }
}
