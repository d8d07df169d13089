import SystemPackage

/// Puts a configuration together, and gathers all there is to say about it on the way.
struct SettingsReader {
    struct Written {
        var text: String
        var source: Settings.Source
    }

    let file: String
    let folder: FilePath?
    var settings = Settings()
    /// What the file and the overrides say, by key.
    var written: [String: Written] = [:]
    /// Keys of which something wrong has been said already.
    var broken: Set<String> = []
    /// Those of which it was said before keys are compared.
    var unreadable: Set<String> = []
    private var keysOfFile: Set<String> = []
    private var faults: [Fault] = []
    private var remarks: [Fault] = []

    init(file: String, folder: FilePath?) { (self.file, self.folder) = (file, folder) }

    func result() throws(SettingsError) -> Settings {
        let byLine = { (one: Fault, other: Fault) in (one.line ?? 0) < (other.line ?? 0) }
        if !faults.isEmpty {
            throw SettingsError(faults.sorted(by: byLine), remarks: remarks.sorted(by: byLine))
        }
        var settings = settings
        settings.remarks = remarks.sorted(by: byLine)
        return settings
    }

    /// Without a source, it is the place where the key was written.
    mutating func say(
        _ weight: Fault.Weight, _ key: String?, at source: Settings.Source? = nil, _ reason: String
    ) {
        var said = Fault(weight, file: file, key: key, reason)
        switch source ?? key.flatMap({ written[$0]?.source }) {
        case .file(let line): said.line = line
        case .override: said.file = "--set"
        default: break
        }
        if weight == .fault {
            faults.append(said)
            if let key { broken.insert(key) }
        } else {
            remarks.append(said)
        }
    }

    mutating func take(_ overrides: [String: String]) {
        for (name, text) in overrides.sorted(by: { $0.key < $1.key }) where isKnown(name, at: .override) {
            written[name] = Written(text: text, source: .override)
        }
    }

    mutating func take(_ file: EnvFile) {
        for refusal in file.refusals { say(.fault, refusal.key, at: .file(line: refusal.line), refusal.reason) }
        keysOfFile = Set(file.assignments.map(\.key))
        var lines: [String: Int] = [:]
        for assignment in file.assignments {
            let (name, here) = (assignment.key, Settings.Source.file(line: assignment.line))
            guard isKnown(name, at: here) else { continue }
            if let first = lines.updateValue(assignment.line, forKey: name) {
                say(.warning, name, at: here, "is set on line \(first) too; this one counts")
            }
            guard let text = filled(assignment.pieces, for: assignment) else { continue }
            // An override stands above the file, for the references of later lines too.
            if written[name]?.source != .override { written[name] = Written(text: text, source: here) }
        }
    }

    /// A value under its old name is taken, unless the new one is there as well.
    mutating func takeOldNames() {
        for key in Settings.allKeys {
            guard case .renamed(let new) = key.use, let old = written.removeValue(forKey: key.name) else { continue }
            let isAbove = old.source == .override && written[new]?.source != .override
            if isAbove || written[new] == nil {
                written[new] = old
                say(.note, key.name, at: old.source, "is the old name of \(new), whose value it becomes")
            } else {
                say(.warning, key.name, at: old.source, "is the old name of \(new), which is set too and counts")
            }
        }
    }

    private mutating func isKnown(_ name: String, at source: Settings.Source) -> Bool {
        if Settings.keysByName[name] != nil { return true }
        let nearest = Settings.nearestKey(to: name).map { "; the nearest is \($0)" } ?? ""
        say(.fault, name, at: source, "no such key\(nearest)")
        return false
    }
}

extension SettingsReader {
    /// The text of a value with its references filled in, or nil where one of them leads nowhere.
    private mutating func filled(_ pieces: [EnvFile.Piece], for assignment: EnvFile.Assignment) -> String? {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let part): text += part
            case .reference(let name, let otherwise):
                guard let part = value(of: name, otherwise, for: assignment) else { return nil }
                text += part
            }
        }
        return text
    }

    private mutating func value(
        of name: String, _ otherwise: [EnvFile.Piece]?, for assignment: EnvFile.Assignment
    ) -> String? {
        let here = Settings.Source.file(line: assignment.line)
        guard let key = Settings.keysByName[name] else {
            say(.fault, assignment.key, at: here, "refers to \(name), which is no key; the environment is not asked")
            return nil
        }
        if let text = written[name]?.text, otherwise == nil || !text.isEmpty { return text }
        if broken.contains(name) {
            broken.insert(assignment.key)
            return nil
        }
        if let otherwise { return filled(otherwise, for: assignment) }
        // In a shell it would be empty, which is the default as well.
        if keysOfFile.contains(name) {
            say(
                .warning, assignment.key, at: here,
                "refers to \(name), which is set only further down: its default counts")
        }
        return settings.standardText(of: key) { written[$0]?.text }.text
    }
}
