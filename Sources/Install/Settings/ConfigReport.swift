import Kube

/// What `config check` and `config show` say, as lines of text or as one JSON document.
package struct ConfigReport: Sendable {
    package var settings: Settings?
    package var faults: [Fault]
    /// Warnings and notes.
    package var remarks: [Fault]

    package init(_ settings: Settings) { (self.settings, faults, remarks) = (settings, [], settings.remarks) }
    package init(_ error: SettingsError) { (settings, faults, remarks) = (nil, error.faults, error.remarks) }

    /// 2 says that the config is wrong and nothing was changed.
    package var exitCode: Int32 { faults.isEmpty ? 0 : 2 }

    package func check(asJSON: Bool = false) -> [String] {
        if asJSON { return [JSON.array((faults + remarks).map(\.json)).text()] }
        return faults.map { "\($0)" } + remarks.map { "\($0.weight.rawValue): \($0)" }
    }

    /// Each value in force and where it came from. Keys that nothing acts on are left out, unless they are set.
    package func show(asJSON: Bool = false) -> [String] {
        let rows = rows
        if asJSON {
            return [
                JSON.array(
                    rows.map { ["key": .string($0.key), "value": .string($0.value), "source": .string($0.source)] }
                ).text()
            ]
        }
        let width = { (column: (Row) -> String, most: Int) in min(rows.map { column($0).count }.max() ?? 0, most) }
        let (keyWidth, valueWidth) = (width(\.key, 48), width(\.value, 48))
        return rows.map { row in
            row.key.padded(to: keyWidth) + "  " + (row.value.isEmpty ? "-" : row.value).padded(to: valueWidth)
                + "  " + row.source
        }
    }

    private struct Row { var key, value, source: String }

    private var rows: [Row] {
        guard let settings else { return [] }
        return Settings.allKeys.compactMap { key in
            let source = settings.source(of: key.name)
            if case .renamed = key.use { return nil }
            guard key.isActedOn || source != .standard else { return nil }
            return Row(key: key.name, value: settings.text(of: key.name), source: "\(source)")
        }
    }
}

extension Settings.AnyKey {
    /// Some stage of this release does something about it.
    package var isActedOn: Bool { if case .stage = use { true } else { false } }
}

extension Settings.Source: CustomStringConvertible {
    package var description: String {
        switch self {
        case .standard: "default"
        case .file(let line): "line \(line)"
        case .override: "--set"
        case .derived(let keys): "from " + keys.joined(separator: ", ")
        case .program: "worked out"
        }
    }
}

extension Fault {
    fileprivate var json: JSON {
        [
            "weight": .string(weight.rawValue), "file": .string(file), "line": line.map { .int($0) } ?? .null,
            "key": key.map { .string($0) } ?? .null, "reason": .string(reason),
        ]
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
