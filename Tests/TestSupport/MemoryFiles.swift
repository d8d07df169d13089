package import Hosts
package import SystemPackage

/// The files of a scripted host.
package struct MemoryFiles: Sendable {
    package enum Entry: Hashable, Sendable {
        case file(File)
        case directory(FilePermissions, Owner)
        case link(to: FilePath)
    }

    private var entries: [FilePath: Entry] = [:]
    var writes: [File] = []
    var made: [Directory] = []
    var removed: [FilePath] = []

    mutating func place(_ entry: Entry, at path: FilePath) {
        let folder = path.removingLastComponent()
        if folder.lastComponent != nil, entries[folder] == nil {
            place(.directory([.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute], .root), at: folder)
        }
        entries[path] = entry
    }

    mutating func set(_ path: FilePath, _ file: File?) {
        if let file { place(.file(file), at: path) } else { entries[path] = nil }
    }

    func contents(_ path: FilePath) -> [UInt8]? {
        switch entries[path] {
        case .file(let file): file.contents
        case .link(let target): contents(path.removingLastComponent().pushing(target).lexicallyNormalized())
        case .directory, nil: nil
        }
    }

    func state(_ path: FilePath) -> FileState? {
        switch entries[path] {
        case .file(let file):
            FileState(
                kind: .file, size: Int64(file.contents.count), permissions: file.permissions, owner: file.owner)
        case .directory(let permissions, let owner):
            FileState(kind: .directory, size: 4096, permissions: permissions, owner: owner)
        case .link(let target):
            FileState(kind: .link(to: target), size: 0, permissions: FilePermissions(rawValue: 0o777), owner: .root)
        case nil: nil
        }
    }

    func names(in folder: FilePath) -> [String]? {
        if folder.lastComponent != nil {
            guard case .directory? = entries[folder] else { return nil }
        }
        return entries.keys.filter { $0.removingLastComponent() == folder }.compactMap(\.lastComponent?.string).sorted()
    }
}
