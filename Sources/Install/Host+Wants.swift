package import Hosts
import SystemPackage

extension Host {
    /// The change that makes the file stand as it should, or none where it does.
    package func wants(_ file: File, because reason: String) async throws -> [Change] {
        if let state = try await transport.state(of: file.path), state.kind == .file,
            state.permissions == file.permissions, state.owner == file.owner,
            try await transport.read(file.path) == file.contents
        {
            return []
        }
        return [Change(.write(file), because: reason)]
    }

    /// The change that makes the folder, or none where one stands. Owner and mode of a folder that stands are left alone:
    /// somebody may have had a reason, and there may be data in it.
    package func wants(_ directory: Directory, because reason: String) async throws -> [Change] {
        try await transport.state(of: directory.path) == nil ? [Change(.make(directory), because: reason)] : []
    }

    /// A kernel setting that is a number, or nil where this kernel has none of that name.
    package func sysctl(_ key: String) async throws -> Int? {
        let path = "/proc/sys/" + key.split(separator: ".").joined(separator: "/")
        return try await transport.read(FilePath(path)).flatMap { Int(String(decoding: $0, as: UTF8.self).trimmed) }
    }

    package func hostname() async throws -> String {
        let bytes = try await transport.read("/proc/sys/kernel/hostname") ?? []
        return String(decoding: bytes, as: UTF8.self).trimmed
    }
}
