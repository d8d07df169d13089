package import SystemPackage

extension Settings {
    /// Reads a configuration. It touches no file: `SettingsFile` does, and
    /// hands in how a secret's own file is read.
    ///
    /// Messages call it `file`; relative paths start at `folder`, and stay as
    /// they are without it; `overrides` stand above what the text says.
    package init(
        parsing text: String, file: String = "jhub.env", folder: FilePath? = nil, overrides: [String: String] = [:],
        secret: (FilePath) throws(Complaint) -> String? = { _ throws(Complaint) in nil }
    ) throws(SettingsError) {
        var reader = SettingsReader(file: file, folder: folder)
        reader.take(overrides)
        reader.take(EnvFile(parsing: text))
        reader.takeOldNames()
        reader.remarkUses()
        reader.fillIn()
        reader.readSecrets(secret)
        reader.settle()
        reader.check()
        self = try reader.result()
    }

    /// What a key is worth where nothing is written.
    func standardEntry(for key: any AnyKey) throws(Complaint) -> Entry {
        let (text, others) = standardText(of: key) { entries[$0]?.text }
        return try Self.entry(for: key, text, others.isEmpty ? .standard : .derived(from: others))
    }

    /// A default with each `${NAME}` filled in, and those names. What `value` does not know is at its default too.
    func standardText(of key: any AnyKey, _ value: (String) -> String?) -> (text: String, others: [String]) {
        guard key.standard.utf8.contains(.dollar) else { return (key.standard, []) }
        var (text, others) = ("", [String]())
        var rest = key.standard[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            let part = value(name) ?? Self.keysByName[name].map { standardText(of: $0, value).text }
            text += rest[..<start.lowerBound] + (part ?? "")
            others.append(name)
            rest = rest[rest.index(after: end)...]
        }
        return (text + rest, others)
    }

    static func entry(for key: any AnyKey, _ text: String, _ source: Source) throws(Complaint) -> Entry {
        if text.isEmpty { return Entry(value: key.blank, text: "", source: source, isSecret: key.isSecret) }
        let (value, canonical) = try key.read(text)
        return Entry(value: value, text: canonical, source: source, isSecret: key.isSecret)
    }
}

extension SettingsReader {
    mutating func fillIn() {
        for key in Settings.allKeys {
            do throws(Settings.Complaint) {
                // An empty value is no value, as it was in the old program.
                if let text = written[key.name]?.text, let source = written[key.name]?.source, !text.isEmpty {
                    settings.entries[key.name] = try Settings.entry(for: key, key.isPath ? placed(text) : text, source)
                } else if key.standard.utf8.contains(.dollar) {
                    let entry = try settings.standardEntry(for: key)
                    settings.entries[key.name] = entry
                    if case .derived(let others) = entry.source, !broken.isDisjoint(with: others) {
                        broken.insert(key.name)
                    }
                }
            } catch {
                say(.fault, key.name, error.reason)
            }
        }
    }

    private func placed(_ path: String) -> String {
        guard let folder, !path.hasPrefix("/"), !path.hasPrefix("~") else { return path }
        return folder.appending(path).string
    }

    mutating func readSecrets(_ read: (FilePath) throws(Settings.Complaint) -> String?) {
        for key in Settings.allKeys {
            guard key.isSecret, case .stage = key.use else { continue }
            let name = key.fileVariant.name
            guard let path = settings.entries[name]?.value as? FilePath else { continue }
            if written[key.name].map({ !$0.text.isEmpty }) ?? false {
                say(.fault, name, "is set, and so is \(key.name); keep one of them")
                continue
            }
            do throws(Settings.Complaint) {
                guard let text = try read(path) else { continue }
                settings.entries[key.name] = try Settings.entry(for: key, text, .derived(from: [name]))
            } catch {
                say(.fault, name, error.reason)
            }
        }
    }

    /// What is set and will not be acted on.
    mutating func remarkUses() {
        for key in Settings.allKeys {
            guard let text = written[key.name]?.text, !text.isEmpty else { continue }
            switch key.use {
            case .ignored(let reason):
                say(.note, key.name, "is ignored: \(reason)")
            case .later(let feature, isSwitch: true):
                let isOff = (try? key.read(text))?.text == "false"
                if !isOff {
                    say(.warning, key.name, "\(feature.rawValue) is not in this release; the rest is installed")
                }
            case .later(let feature, isSwitch: false):
                say(.note, key.name, "belongs to \(feature.rawValue), which is not in this release")
            case .stage, .renamed:
                break
            }
        }
    }
}

extension Settings {
    /// What the configuration asks for and this release has not.
    package var missingFeatures: [Feature] {
        Self.allKeys.compactMap { key in
            guard case .later(let feature, isSwitch: true) = key.use else { return nil }
            return ["", "false"].contains(text(of: key.name)) ? nil : feature
        }
    }
}
