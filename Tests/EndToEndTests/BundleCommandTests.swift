import Bundles
import Foundation
import Glibc
import Hosts
import Images
import Kube
import SystemPackage
import Testing

/// `jhub-install bundle`, as somebody types it.
@Suite(.serialized) final class BundleCommandTests {
    private let folder: FilePath
    private static let program =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map {
            FilePath($0).removingLastComponent().appending("jhub-install").string
        }

    init() throws {
        folder = FilePath(FileManager.default.temporaryDirectory.path).appending("jhub-bundle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        chmod(folder.string, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.string) }

    private var bundle: FilePath { folder.appending("bundle") }
    private var keys: FilePath { folder.appending("keys") }

    /// A bundle of some files of so many bytes, which begin with their names.
    private func make(_ files: [String: Int64]) throws {
        for (name, size) in files {
            let path = bundle.pushing(FilePath(name))
            try FileManager.default.createDirectory(
                atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
            try Data(name.utf8).write(to: URL(filePath: path.string))
            #expect(truncate(path.string, Int(size)) == 0)
        }
        try BundleWriter(at: bundle).write(.init(created: "2026-01-02T03:04:05Z", versions: ["jupyterhub": "4.2.0"]))
    }

    private func command(_ arguments: [String]) throws -> Command {
        let cache = "XDG_CACHE_HOME=\(folder.appending("cache"))"
        return Command(["env", cache, try #require(Self.program), "bundle"] + arguments)
    }

    private func run(_ arguments: String...) async throws -> Outcome {
        let outcome = try await LocalTransport().run(try command(arguments))
        // One line, whatever went wrong.
        #expect(outcome.errors.split(separator: "\n").count <= 1 || outcome.status == 64, "\(outcome)")
        return outcome
    }

    private func flip(_ name: String, at offset: Int64) throws {
        let file = try FileDescriptor.open(bundle.pushing(FilePath(name)), .readWrite)
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: offset, [255]) }
    }

    @Test func aSignedBundleIsTakenAndNoOther() async throws {
        try make(["charts/a.tgz": 1000])
        let (key, dir) = (folder.appending("release"), bundle.string)
        let trust = ["--keys", keys.string]
        let unsigned = try await run("verify", dir, "--keys", keys.string)
        #expect(unsigned.status == 2 && unsigned.errors.contains("the bundle is not signed"))
        #expect(try await run("verify", dir, "--allow-unsigned", "--keys", keys.string).status == 0)

        #expect(try await run("keygen", "--to", key.string, "--comment", "release 2026").status == 0)
        let again = try await run("keygen", "--to", key.string)
        #expect(again.status == 1 && again.errors.contains("is there already"))
        #expect(try await run("sign", "--key", key.string + ".key", dir).status == 0)
        let unknown = try await run("verify", dir, "--keys", keys.string)
        #expect(unknown.status == 2 && unknown.errors.contains("which this machine does not trust"))

        let unasked = try await LocalTransport().run(try command(["trust", key.string + ".pub"] + trust))
        #expect(unasked.status == 64 && unasked.output.contains("sha256:"))
        #expect(try await run("trust", key.string + ".pub", "--yes", "--keys", keys.string).status == 0)
        #expect(try await run("trust", "--list", "--keys", keys.string).output.contains("release 2026"))
        let trusted = try await run("verify", dir, "--keys", keys.string)
        #expect(trusted.status == 0 && trusted.output.contains("(release 2026)"))

        let text = try String(contentsOfFile: bundle.appending("bundle.json").string, encoding: .utf8)
        try text.replacing("4.2.0", with: "4.2.1").write(
            toFile: bundle.appending("bundle.json").string, atomically: true, encoding: .utf8)
        let wrong = try await run("verify", dir, "--allow-unsigned", "--keys", keys.string)
        #expect(wrong.status == 2 && wrong.errors.contains("does not fit bundle.json"))
        chmod(key.string + ".key", 0o644)
        let open = try await run("sign", "--key", key.string + ".key", dir)
        #expect(open.status == 1 && open.errors.contains("others can read"))
    }

    @Test func aFlippedBitIsNamedAndMended() async throws {
        try make(["snaps/a_1.snap": 14 << 20])
        try FileManager.default.copyItem(atPath: bundle.string, toPath: folder.appending("copy").string)
        try flip("snaps/a_1.snap", at: 13_000_000)
        let found = try await run("verify", bundle.string, "--allow-unsigned", "--keys", keys.string)
        #expect(found.status == 2)
        #expect(found.output.contains("\nchunk 3 of snaps/a_1.snap (bytes 12582912 to 14680063) is damaged\n"))
        #expect(found.errors.isEmpty)
        let mended = try await run("repair", bundle.string, "--from", folder.appending("copy").string)
        #expect(mended.status == 0 && mended.output.contains("mended: chunk 3 of snaps/a_1.snap\n"))
        #expect(try await run("verify", bundle.string, "--allow-unsigned", "--keys", keys.string).status == 0)
        let json = try await run("verify", bundle.string, "--allow-unsigned", "--keys", keys.string, "--json")
        let last = try JSON(parsing: String(json.output.split(separator: "\n").last ?? ""))
        #expect(last["good"] == true && last["bytes"]?.int == 14 << 20)
        #expect(["disk", "hash"].contains(last["bound"]?.string))
    }

    @Test(arguments: [("KILL", 137), ("INT", 130)]) func aCheckThatIsEndedGoesOn(signal: String, status: Int)
        async throws
    {
        // Holes, so no disk is needed; on one core they take a while.
        try make(["snaps/a_1.snap": 3 << 30])
        let arguments = ["verify", bundle.string, "--allow-unsigned", "--json", "--keys", keys.string]
        let words = ["taskset", "-c", "0"] + (try command(arguments)).argv
        let cache = folder.appending("cache/jhub")
        // Once a part is remembered there is an end of it.
        let script = #"""
            "${@:2}" >/dev/null & pid=$!
            while kill -0 $pid 2>/dev/null; do
                ls "$0" 2>/dev/null | grep -q verify- && { kill -$1 $pid; break; }
                sleep 0.02
            done
            wait $pid
            """#
        let ended = try await LocalTransport().run(Command(["bash", "-c", script, cache.string, signal] + words))
        try #require(ended.status == status, "\(ended)")
        if signal == "INT" {
            #expect(
                ended.errors.hasSuffix(
                    "\njhub-install: interrupted: what was checked is remembered: run it again to go on\n"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: cache.string).count == 1)
        let outcome = try await LocalTransport().run(try command(arguments))
        #expect(outcome.status == 0)
        let bytes = try JSON(parsing: String(outcome.output.split(separator: "\n").last ?? ""))["bytes"]?.int ?? 0
        #expect(bytes > 0 && bytes < 3 << 30)
        #expect(try FileManager.default.contentsOfDirectory(atPath: cache.string) == [])
    }

    @Test func aSplitThatRanOutOfRoomOrWasKilledGoesOn() async throws {
        var files: [String: Int64] = [:]
        for index in 0..<12 { files["packages/p\(index).deb"] = 8 << 20 }
        try make(files)
        let target = folder.appending("volumes")
        try FileManager.default.createDirectory(atPath: target.string, withIntermediateDirectories: true)
        let mount = try await LocalTransport().run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", target.string])
        try #require(mount.status == 0 || ProcessInfo.processInfo.environment["CI"] != "true", "\(mount)")
        guard mount.status == 0 else { return print("skipped: no file system can be mounted here") }
        let full = try await run("split", bundle.string, "--size", "30M", "--to", target.string)
        #expect(full.status == 1 && full.errors.contains("No space left on device: make room there"), "\(full)")
        let room = try await LocalTransport().run(["mount", "-o", "remount,size=200m", target.string])
        #expect(room.status == 0)
        let script = #"""
            "$@" >/dev/null & pid=$!
            while kill -0 $pid 2>/dev/null; do [ -e "$0" ] && { kill -9 $pid; break; }; done
            wait $pid
            """#
        let third = target.appending("volume-3").appending("packages").string
        let words = try command(["split", bundle.string, "--size", "30M", "--to", target.string]).argv
        let killed = try await LocalTransport().run(Command(["bash", "-c", script, third] + words))
        let rest = try await run("split", bundle.string, "--size", "30M", "--to", target.string)
        let whole = try await run("verify", target.string, "--allow-unsigned", "--keys", keys.string)
        let unmount = try await LocalTransport().run(["umount", target.string])
        #expect(killed.status == 137 && rest.status == 0 && whole.status == 0, "\(killed) \(rest) \(whole)")
        #expect(rest.output.hasSuffix("4 volumes in \(target), of 30.0 MB at most\n"))
        #expect(unmount.status == 0)
    }

    @Test func listsAndCompares() async throws {
        try make(["charts/a.tgz": 1000, "snaps/a_1.snap": 2000])
        let list = try await run("list", bundle.string, "--keys", keys.string)
        #expect(list.status == 0)
        #expect(list.output.hasPrefix("made 2026-01-02T03:04:05Z for linux/amd64\nnot signed\njupyterhub 4.2.0\n"))
        #expect(list.output.contains("\n  charts  1  1.0 kB\n") && list.output.contains("\n  in all  2  3.0 kB\n"))
        let json = try JSON(parsing: try await run("list", bundle.string, "--json", "--keys", keys.string).output)
        #expect(json["bytes"] == 3000 && json["signature"]?["state"] == "unsigned")
        try FileManager.default.moveItem(atPath: bundle.string, toPath: folder.appending("old").string)
        try make(["charts/a.tgz": 1001])
        let difference = try await run("diff", folder.appending("old").string, bundle.string)
        #expect(difference.status == 0)
        #expect(difference.output.hasPrefix("- file  snaps/a_1.snap\n~ file  charts/a.tgz: "))
        #expect(try await run("diff", bundle.string, bundle.string).output == "no difference\n")
    }

    @Test(arguments: ["", "{", "[]", #"{"format":1}"#, #"{"format":7}"#])
    func aBadDescriptionEndsWith2(_ text: String) async throws {
        try make(["charts/a.tgz": 1000])
        try text.write(toFile: bundle.appending("bundle.json").string, atomically: true, encoding: .utf8)
        for words in [
            ["verify"], ["list"], ["repair", "--from", "/nowhere"], ["split", "--size", "1G", "--to", "/nowhere"],
        ] {
            let outcome = try await LocalTransport().run(try command(words + [bundle.string]))
            #expect(outcome.status == 2 && outcome.errors.hasPrefix("jhub-install: could not read bundle.json: "))
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
        #expect(!FileManager.default.fileExists(atPath: "/nowhere"))
    }

    @Test func whatIsNoArchiveIsNotAdded() async throws {
        try make(["charts/a.tgz": 1000])
        let before = try Data(contentsOf: URL(filePath: bundle.appending("bundle.json").string))
        for (name, text, words) in [
            ("noise.tar", "hello", "Unrecognized archive format"), ("empty.tar", "", "it is empty"),
            ("noise.tgz", "hello", "Unrecognized archive format"),
        ] {
            let file = folder.appending(name)
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            let outcome = try await run("add", bundle.string, file.string)
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(outcome)")
            #expect(outcome.errors.hasPrefix("jhub-install: could not read \(file): \(words)"), "\(outcome)")
        }
        #expect(try Data(contentsOf: URL(filePath: bundle.appending("bundle.json").string)) == before)
        #expect(!FileManager.default.fileExists(atPath: bundle.appending("images").string))
    }

    @Test func aClockBeforeTheBundleIsWrong() async throws {
        try make(["charts/a.tgz": 1000])
        try BundleWriter(at: bundle).write(.init(created: "2099-01-02T03:04:05Z"))
        let outcome = try await run("verify", bundle.string, "--allow-unsigned", "--keys", keys.string)
        #expect(outcome.status == 2)
        #expect(outcome.output.contains(", and the bundle was made at 2099-01-02T03:04:05Z: set the clock\n"))
    }

    @Test func whatCannotBeReadIsNamed() async throws {
        try make(["charts/a.tgz": 1000])
        chmod(bundle.appending("charts/a.tgz").string, 0)
        let nobody = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        let words = try command(["verify", bundle.string, "--allow-unsigned", "--keys", keys.string]).argv
        let outcome = try await LocalTransport().run(Command(nobody + words))
        #expect(outcome.status == 2)
        #expect(
            outcome.output.contains("cannot be read from \(bundle)/charts/a.tgz: Permission denied\n"), "\(outcome)")
    }

    @Test(arguments: [
        ["split", "x", "--size", "4X", "--to", "y"], ["split", "x", "--size", "0", "--to", "y"], ["trust"],
        ["trust", "a.pub", "--list"], ["repair", "x"], ["sign", "x"], ["nonsense"],
    ])
    func wrongUsageEndsWith64(_ arguments: [String]) async throws {
        #expect(try await LocalTransport().run(try command(arguments)).status == 64)
    }
}
