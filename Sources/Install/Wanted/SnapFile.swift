import Hosts
import SystemPackage

/// A snap that is not installed: a squashfs in a file. It is looked into without leaving a trace.
struct SnapFile: Sendable {
    var path: FilePath
    var host: Host

    /// The text of a file in it, or nil where it has none of that name. With squashfs-tools anybody may look, without
    /// them only root.
    func text(of file: FilePath) async throws -> String? {
        if try await host.program("unsquashfs") != nil {
            let outcome = try await host.transport.run(["unsquashfs", "-cat", path.string, file.string])
            if outcome.status == 0 { return outcome.output }
            if outcome.lastWords.contains("no matches") { return nil }
        }
        let outcome = try await host.transport.run(Command(mounted(["cat", Self.place.pushing(file).string])))
        guard outcome.status != Self.cannotMount else {
            throw FactError("could not look into \(path): \(outcome.lastWords) (root can, or whoever has unsquashfs)")
        }
        return outcome.status == 0 ? outcome.output : nil
    }

    /// How a program of the snap is called.
    func command(_ program: FilePath) -> [String] { mounted([Self.place.pushing(program).string]) }

    /// The mount is in a namespace that ends with the program. `/boot` is there on every system, and nobody carries a
    /// bundle there.
    private func mounted(_ argv: [String]) -> [String] {
        let script = "mount -t squashfs -o ro,loop \"$0\" \(Self.place) || exit \(Self.cannotMount); exec \"$@\""
        return ["unshare", "--mount", "sh", "-c", script, path.string] + argv
    }

    private static let place: FilePath = "/boot"
    /// Not a status that `cat` or Helm have.
    private static let cannotMount: Int32 = 99
}
