import Glibc
import SystemPackage

/// Files of /proc and /sys: small, and gone at any moment. What cannot be read is nil.
enum SmallFile {
    /// The first 4 kB.
    static func text(_ path: FilePath) -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec]) else {
            return nil
        }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 1 << 12)
        guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }) else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    static func names(in folder: FilePath) -> Set<String>? {
        guard let open = folder.withPlatformString({ opendir($0) }) else { return nil }
        defer { closedir(open) }
        var names: Set<String> = []
        while let entry = readdir(open) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.insert(name) }
        }
        return names
    }

    /// Where all links lead in the end.
    static func end(of path: FilePath) -> FilePath? {
        guard let real = path.withPlatformString({ realpath($0, nil) }) else { return nil }
        defer { free(real) }
        return FilePath(String(cString: real))
    }

    /// Where a link leads.
    static func target(of link: FilePath) -> FilePath? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = link.withPlatformString { readlink($0, &bytes, bytes.count - 1) }
        return count > 0 ? FilePath(String(terminated: bytes)) : nil
    }
}
