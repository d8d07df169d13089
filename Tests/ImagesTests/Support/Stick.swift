import Glibc
import Hosts
import SystemPackage
import Testing

/// A file system of 64 MiB that can be pulled out while it is read: then its reads fail as those of a stick do.
struct Stick {
    /// Where it is mounted.
    let path: FilePath
    private let image: FilePath
    private let copy: FilePath

    /// `fill` writes what is on it; `body` has it as it was put in: nothing of it is in memory.
    static func with(
        in folder: Folder, fill: (FilePath) throws -> Void, _ body: (Stick) async throws -> Void
    ) async throws {
        let path = folder.path.appending("stick")
        let stick = Stick(
            path: path, image: folder.path.appending("stick.img"), copy: folder.path.appending("stick.copy"))
        try await run("truncate", "-s", "64M", stick.image.string)
        try await run("mkfs.ext4", "-q", stick.image.string)
        try await run("mkdir", path.string)
        do {
            try await run("mount", "-o", "loop", stick.image.string, path.string)
            try fill(path)
            try await run("umount", path.string)
            try await run("cp", stick.image.string, stick.copy.string)
            try await run("mount", "-o", "loop,ro", stick.image.string, path.string)
            try await body(stick)
            try await run("umount", path.string)
        } catch {
            try? await run("umount", path.string)
            throw error
        }
    }

    /// In the midst of whatever is done with it.
    func pull() { truncate(image.string, 0) }

    /// As it was before.
    func putInAgain() async throws {
        try await Self.run("umount", path.string)
        try await Self.run("cp", copy.string, image.string)
        try await Self.run("mount", "-o", "loop,ro", image.string, path.string)
    }

    private static func run(_ words: String...) async throws {
        let outcome = try await LocalTransport().run(Command(words))
        try #require(outcome.status == 0, "\(words): \(outcome)")
    }
}
