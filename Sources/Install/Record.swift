import Crypto
import Hosts
import Images
import Kube
package import SystemPackage

import struct Foundation.Date
import class Foundation.FileManager

#if canImport(Glibc)
    import Glibc
#endif

/// What was changed on this machine, when, and what stood there before.
///
/// One JSON object a line in `changes.jsonl`, one before the change and one
/// after it, each on the disk before the next step. It serves undo, audit and
/// the question why; it never answers "was this done?".
package struct Record: Sendable {
    package var folder: FilePath
    /// Names this run in its lines.
    package var run: String

    package init(in folder: FilePath = "/var/lib/jhub", run: String) { (self.folder, self.run) = (folder, run) }

    package struct Entry: Sendable {
        var line: [String: JSON]
    }

    /// Says that a change is about to be made, with what stands there now.
    func begin(_ change: Change, stage: String, on site: Site) async throws -> Entry {
        var line: [String: JSON] = [
            "run": .string(run), "host": .string(site.node.name), "stage": .string(stage),
            "change": .string(change.action.description), "reason": .string(change.reason),
        ]
        line["before"] = try await before(change.action, on: site)
        line["trace"] = try await trace(change.action, on: site)
        if case .load(let load) = change.action {
            line["images"] = .array(load.references.map { .string($0.description) })
        }
        if case .run(_, let undo?) = change.action { line["undo"] = .array(undo.argv.map { .string($0) }) }
        try append(line, result: "began")
        for key in ["before", "trace", "undo"] { line[key] = nil }
        return Entry(line: line)
    }

    func end(_ entry: Entry, _ result: String) throws { try append(entry.line, result: result) }

    /// The names of all images that were ever brought.
    func images() throws -> Set<String> {
        let path = folder.appending("changes.jsonl")
        guard let bytes = FileManager.default.contents(atPath: path.string) else { return [] }
        var names: Set<String> = []
        for text in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where text.contains(#""images""#) {
            // A power cut may have left half a line.
            guard let line = try? JSON(parsing: String(text)), line["result"]?.string == "done" else { continue }
            names.formUnion((line["images"]?.array ?? []).compactMap(\.string))
        }
        return names
    }

    /// What stood there: for a file its old bytes are kept under `before/` by their hash.
    private func before(_ action: Change.Action, on site: Site) async throws -> JSON? {
        let transport = site.node.transport
        switch action {
        case .write(let file, _):
            guard let state = try await transport.state(of: file.path) else { return .null }
            guard let bytes = try await transport.read(file.path) else { return .null }
            return .object([
                "sha256": .string(try keep(bytes)), "mode": .string(String(state.permissions.rawValue, radix: 8)),
                "owner": .string("\(state.owner.user):\(state.owner.group)"),
            ])
        case .make(let directory):
            guard let state = try await transport.state(of: directory.path) else { return .null }
            return .object([
                "mode": .string(String(state.permissions.rawValue, radix: 8)),
                "owner": .string("\(state.owner.user):\(state.owner.group)"),
            ])
        case .remove(let path):
            // A folder that is removed is empty.
            guard try await transport.state(of: path)?.kind == .file, let bytes = try await transport.read(path) else {
                return .null
            }
            return .object(["sha256": .string(try keep(bytes))])
        case .apply(let manifest), .delete(let manifest):
            guard let old = try await site.kube().get(manifest) else { return .null }
            return .object(["sha256": .string(try keep(old.bytes))])
        case .run, .load, .unload, .send, .join, .stop: return nil
        }
    }

    /// What will stand there, and the first folder above it that has to be made for it.
    private func trace(_ action: Change.Action, on site: Site) async throws -> JSON? {
        let (key, path, contents): (String, FilePath, [UInt8]?)
        switch action {
        case .write(let file, _): (key, path, contents) = ("write", file.path, file.contents)
        case .make(let directory): (key, path, contents) = ("make", directory.path, nil)
        default: return nil
        }
        var members: [String: JSON] = [key: .string(path.string)]
        if let contents { members["sha256"] = .string(SHA256.hash(data: contents).hexadecimal) }
        var (top, above) = (path, path.removingLastComponent())
        while above.lastComponent != nil, try await site.node.transport.state(of: above) == nil {
            (top, above) = (above, above.removingLastComponent())
        }
        if top != path { members["top"] = .string(top.string) }
        return .object(members)
    }

    /// Keeps the bytes once, readable by root alone, and returns their hash.
    private func keep(_ bytes: [UInt8]) throws -> String {
        let name = SHA256.hash(data: bytes).hexadecimal
        let kept = folder.appending("before")
        try FileManager.default.createDirectory(
            atPath: kept.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = kept.appending(name)
        if !FileManager.default.fileExists(atPath: path.string) {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
        }
        return name
    }

    /// What was kept under that hash, or nil.
    func kept(_ hash: String) -> [UInt8]? {
        FileManager.default.contents(atPath: folder.pushing("before").appending(hash).string).map { [UInt8]($0) }
    }

    func append(_ line: [String: JSON], result: String) throws {
        var line = line
        line["time"] = .string(Date().formatted(.iso8601))
        line["result"] = .string(result)
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let file = try FileDescriptor.open(
            folder.appending("changes.jsonl"), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        try file.closeAfter {
            _ = try file.writeAll(Array((JSON.object(line).text() + "\n").utf8))
            // The line must outlive a power cut that the change itself does not.
            guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }
}

extension Sequence where Element == UInt8 {
    /// Two digits a byte, in lower case.
    package var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
