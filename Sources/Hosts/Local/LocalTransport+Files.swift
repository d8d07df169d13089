import Glibc
package import SystemPackage

extension LocalTransport {
    package func read(_ path: FilePath) async throws(TransportError) -> [UInt8]? {
        try await calling("read \(path)") { () throws(Errno) in
            try unlessMissing { () throws(Errno) in
                // Without O_NONBLOCK, a pipe somebody put there would hold us for ever.
                try OpenFile(path, O_RDONLY | O_NONBLOCK).readAll(upTo: largest)
            }
        }
    }

    package func state(of path: FilePath) async throws(TransportError) -> FileState? {
        try await calling("look at \(path)") { () throws(Errno) in
            try unlessMissing { () throws(Errno) in
                var found = stat()
                try system { path.withPlatformString { lstat($0, &found) } }
                return FileState(
                    kind: try kind(of: found, at: path), size: Int64(found.st_size),
                    permissions: FilePermissions(rawValue: found.st_mode & 0o7777),
                    owner: Owner(user: found.st_uid, group: found.st_gid))
            }
        }
    }

    package func list(_ path: FilePath) async throws(TransportError) -> [String]? {
        try await calling("list \(path)") { () throws(Errno) in
            try unlessMissing { () throws(Errno) in try names(in: path) }
        }
    }

    package func write(_ file: File) async throws(TransportError) {
        try await calling("write \(file.path)") { () throws(Errno) in
            guard let name = file.path.lastComponent else { throw .isDirectory }
            let folder = file.path.removingLastComponent()
            try makeMissing(folder)
            try replace(FilePath(name.string), in: OpenFile(folder.orCurrent, O_RDONLY | O_DIRECTORY), with: file)
        }
    }

    package func make(_ directory: Directory) async throws(TransportError) {
        try await calling("make the folder \(directory.path)") { () throws(Errno) in
            try makeMissing(directory.path.removingLastComponent())
            // Nobody gets in before owner and mode are right.
            try makeOne(directory.path, 0o700)
            let made = try OpenFile(directory.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try system { fchown(made.raw, directory.owner.user, directory.owner.group) }
            try system { fchmod(made.raw, directory.permissions.rawValue) }
            try made.synchronize()
        }
    }

    package func remove(_ path: FilePath) async throws(TransportError) {
        try await calling("remove \(path)") { () throws(Errno) in
            _ = try unlessMissing { () throws(Errno) in
                do throws(Errno) {
                    try system { path.withPlatformString { unlink($0) } }
                } catch .isDirectory {
                    try system { path.withPlatformString { rmdir($0) } }
                }
                try OpenFile(path.removingLastComponent().orCurrent, O_RDONLY | O_DIRECTORY).synchronize()
            }
        }
    }
}

/// Writes beside the old file and renames over it. The new file is never
/// open to anybody before its owner and mode are right, and a link that
/// stands in its place is replaced, not followed.
private func replace(_ name: FilePath, in folder: borrowing OpenFile, with file: File) throws(Errno) {
    let temporary = FilePath(".jhub-\(String(UInt64.random(in: .min ... .max), radix: 36))")
    let new = try OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, in: folder.raw)
    do throws(Errno) {
        try new.write(file.contents)
        try system { fchown(new.raw, file.owner.user, file.owner.group) }
        try system { fchmod(new.raw, file.permissions.rawValue) }
        try new.synchronize()
        try system {
            temporary.withPlatformString { from in
                name.withPlatformString { renameat(folder.raw, from, folder.raw, $0) }
            }
        }
    } catch {
        _ = temporary.withPlatformString { unlinkat(folder.raw, $0, 0) }
        throw error
    }
    try folder.synchronize()
}

private func makeMissing(_ folder: FilePath) throws(Errno) {
    guard !folder.isEmpty, folder.lastComponent != nil else { return }
    var found = stat()
    if folder.withPlatformString({ stat($0, &found) }) == 0 { return }
    try makeMissing(folder.removingLastComponent())
    if try makeOne(folder, 0o755) {
        // The mode in so many words, since mkdir takes the umask off.
        let made = try OpenFile(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try system { fchmod(made.raw, 0o755) }
    }
}

/// Whether it had to be made.
@discardableResult
private func makeOne(_ folder: FilePath, _ mode: mode_t) throws(Errno) -> Bool {
    do throws(Errno) {
        try system { folder.withPlatformString { mkdir($0, mode) } }
    } catch .fileExists {
        return false
    }
    try OpenFile(folder.removingLastComponent().orCurrent, O_RDONLY | O_DIRECTORY).synchronize()
    return true
}

private func names(in folder: FilePath) throws(Errno) -> [String] {
    guard let stream = folder.withPlatformString({ opendir($0) }) else { throw Errno(rawValue: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
        errno = 0
        guard let entry = readdir(stream) else {
            let code = errno
            guard code == 0 else { throw Errno(rawValue: code) }
            return names.sorted()
        }
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != "." && name != ".." { names.append(name) }
    }
}

private func kind(of found: stat, at path: FilePath) throws(Errno) -> FileState.Kind {
    switch found.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    case S_IFLNK:
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try system { path.withPlatformString { readlink($0, &target, target.count) } }
        return .link(to: FilePath(String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)))
    default: return .other
    }
}

private func unlessMissing<Value>(_ work: () throws(Errno) -> Value) throws(Errno) -> Value? {
    do throws(Errno) {
        return try work()
    } catch .noSuchFileOrDirectory {
        return nil
    }
}

extension FilePath {
    fileprivate var orCurrent: FilePath { isEmpty ? "." : self }
}
