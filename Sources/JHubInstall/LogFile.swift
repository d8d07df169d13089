import Images
import Install
import Synchronization
import SystemPackage

import struct Foundation.Date
import class Foundation.FileManager

/// Everything that happened, with the time, in a file of this run.
final class LogFile: Sendable {
    let path: FilePath
    private let file: FileDescriptor

    init(in folder: FilePath = "/var/log/jhub", run: String) throws {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        path = folder.appending("install-\(run).log")
        file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .append, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
    }

    deinit { try? file.close() }

    /// A full disk must not stop what is being done; it will show by itself.
    func line(_ text: String) { _ = try? file.writeAll(Array("\(Date().formatted(.iso8601)) \(text)\n".utf8)) }

    /// What happened, and on which node where there are several.
    func write(_ event: Event, of node: String? = nil) {
        // Bytes come many times a second.
        if case .moved = event { return }
        line((node.map { "\($0): " } ?? "") + event.line)
    }
}

extension Event {
    /// The event in one line.
    var line: String {
        switch self {
        case .began(let stage, let title, let number, let total): "[\(number)/\(total)] \(stage): \(title)"
        case .waiting(let stage, let need): "\(stage): waits for \(need)"
        case .changing(let stage, let change): "\(stage): \(change)"
        case .changed(let stage, let change, let took): "\(stage): \(change.action): done in \(took.seconds)"
        case .moved(let stage, let bytes, let total): "\(stage): \(bytes.asBytes) of \(total.asBytes)"
        case .loaded(let stage, let effort): "\(stage): \(effort.line)"
        case .settled(let stage, 0, let took): "\(stage): settled (\(took.seconds))"
        case .settled(let stage, let changes, let took):
            "\(stage): settled after \(changes.of("change")) (\(took.seconds))"
        }
    }
}

extension Effort {
    /// "1.2 GB in 24.3 s, side by side unpacking 22.1 s (layer 3f2a5b1c09de 9.8 s), storing 15.0 s, reading 3.2 s"
    fileprivate var line: String {
        let parts = parts.sorted { $0.value > $1.value }.map { part, took in
            guard part == .unpacking, let slowest else { return "\(part.rawValue) \(took.seconds)" }
            return "unpacking \(took.seconds) (layer \(slowest.layer.blob.digest.short) \(slowest.took.seconds))"
        }
        let bound = bound.map { "; bound by \($0.rawValue)" } ?? ""
        return "\(bytes.asBytes) in \(took.seconds), side by side \(parts.joined(separator: ", "))\(bound)"
    }
}

extension Duration {
    /// "1.3 s"
    var seconds: String {
        let tenths = (components.seconds * 10) + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}

extension Int {
    /// "1 image", "2 images"
    func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}

extension Int64 {
    /// "1.3 GB": thousands, as disks and cables are sold.
    var asBytes: String {
        var value = Double(self)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1000 || unit == "GB" {
                let tenths = Int64(value * 10)
                return unit == "B" ? "\(self) B" : "\(tenths / 10).\(tenths % 10) \(unit)"
            }
            value /= 1000
        }
        return "\(self) B"
    }
}
