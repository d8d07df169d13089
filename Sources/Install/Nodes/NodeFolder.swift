import Hosts
import SystemPackage

/// Our folder on a worker. The head keeps its record there.
enum NodeFolder {
    static let path: FilePath = "/var/lib/jhub"
    /// What was carried from the head for an installation; it is gone when that is done.
    static let carried: FilePath = "/var/lib/jhub/carried"
}

extension Installer {
    /// Streams the file. It is there under its name only once it is there whole.
    func send(
        _ file: FilePath, to target: FilePath, _ permissions: FilePermissions, on site: Site
    ) async throws {
        let script = #"umask 077 && cat >"$0.part" && chmod "$1" "$0.part" && sync "$0.part" && mv -f "$0.part" "$0""#
        let mode = String(permissions.rawValue, radix: 8)
        var command: Command = ["sh", "-c", script, target.string, mode]
        // 200 MB over a line of 100 kB/s.
        command.limit = .seconds(2000)
        let source = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
        defer { try? source.close() }
        try await site.node.transport.run(command) { sink in
            while true {
                let piece = try [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
                    count = try source.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
                if piece.isEmpty { return }
                try await sink.write(piece)
            }
        }.orThrow(command, on: site.node.name)
    }
}
