import Hosts
import Kube
import SystemPackage

import class Foundation.FileManager

/// One thing that the record says was made on a machine.
struct Trace: Hashable, Sendable {
    /// What stood there before.
    struct Before: Hashable, Sendable {
        var hash: String
        var permissions: FilePermissions
        var owner: Owner
    }

    enum Deed: Hashable, Sendable {
        case wrote(FilePath, hash: String, before: Before?)
        case made(FilePath)
        case ran(undo: Command)
    }

    var deed: Deed
    /// The first folder that was made on the way to a file or folder; nil where all stood.
    var top: FilePath?
}

extension Record {
    /// What was made on that machine since it was last cleaned up, the oldest first. A change that was begun counts: nobody
    /// knows how far it came.
    func traces(on host: String) throws -> [Trace] {
        guard let bytes = FileManager.default.contents(atPath: folder.appending("changes.jsonl").string) else {
            return []
        }
        var traces: [Trace] = []
        for text in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            // A power cut may have left half a line.
            guard let line = try? JSON(parsing: String(text)), line["host"]?.string == host else { continue }
            if line["result"]?.string == Self.cleaned { traces = [] }
            if line["result"]?.string == "began", let trace = Trace(line) { traces.append(trace) }
        }
        return traces
    }

    /// Nothing of ours is on that machine any more.
    func close(_ host: String) throws {
        try append(["run": .string(run), "host": .string(host)], result: Self.cleaned)
    }

    private static let cleaned = "cleaned up"
}

extension Trace {
    /// From a line of the record; nil where there is nothing to take back.
    fileprivate init?(_ line: JSON) {
        let trace = line["trace"]
        top = trace?["top"]?.string.map { FilePath($0) }
        if let path = trace?["write"]?.string, let hash = trace?["sha256"]?.string {
            deed = .wrote(FilePath(path), hash: hash, before: line["before"].flatMap { Before($0) })
        } else if let path = trace?["make"]?.string {
            // A folder that stood before is not ours.
            guard line["before"] == .null else { return nil }
            deed = .made(FilePath(path))
        } else if let words = line["undo"]?.array?.compactMap(\.string), !words.isEmpty {
            deed = .ran(undo: Command(words))
        } else {
            return nil
        }
    }
}

extension Trace.Before {
    fileprivate init?(_ json: JSON) {
        let ids = (json["owner"]?.string ?? "").split(separator: ":").compactMap { UInt32($0) }
        guard let hash = json["sha256"]?.string, let mode = json["mode"]?.string.flatMap({ CModeT($0, radix: 8) }),
            ids.count == 2
        else { return nil }
        self.init(
            hash: hash, permissions: FilePermissions(rawValue: mode), owner: Owner(user: ids[0], group: ids[1]))
    }
}
