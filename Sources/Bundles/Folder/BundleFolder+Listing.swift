import SystemPackage

extension BundleFolder {
    /// Holds what lies there against bundle.json, by names and sizes alone: reads no file, so it is quick.
    package func listing() throws(BundleFault) -> [Damage] {
        var expected = expectedFiles()
        var damages = (volumes?.missing ?? []).map { Damage.volumeMissing($0, of: volumes?.count ?? 0) }
        let optional = Set(copies(of: Reserved.signatures))
        for root in roots {
            for (name, entry) in try Tree.entries(below: root) {
                let place = root.pushing(FilePath(name))
                guard let (path, length) = expected.removeValue(forKey: place) else {
                    if !optional.contains(place) { damages.append(.stranger(place)) }
                    continue
                }
                if entry.kind != .file {
                    damages.append(.noFile(place))
                } else if let length, entry.size != length {
                    damages.append(.size(path, at: place, is: entry.size, shouldBe: length))
                }
            }
        }
        var missing = Set(expected.values.map(\.path))
        // What a missing volume has cannot be told one by one.
        if volumes?.missing.isEmpty != false {
            missing.formUnion(description.files.filter { !pieces(of: $0).cover(0..<$0.size) }.map(\.path))
        }
        return (damages + missing.map { .missing($0) }).sorted()
    }

    /// Each with the file of bundle.json that it is of, and its size; nil where that is not known.
    private func expectedFiles() -> [FilePath: (path: String, length: Int64?)] {
        var expected: [FilePath: (path: String, length: Int64?)] = [:]
        for place in copies(of: Reserved.description) { expected[place] = (Reserved.description, nil) }
        for place in copies(of: Reserved.checkpoints) {
            expected[place] = (Reserved.checkpoints, description.checkpoints.size)
        }
        for number in volumes?.found ?? [] {
            let name = VolumeDescription.file(number)
            for place in copies(of: name) where FileEntry(at: place) != nil { expected[place] = (name, nil) }
        }
        for file in description.files {
            for piece in pieces(of: file) { expected[piece.file] = (file.path, piece.length) }
        }
        return expected
    }
}
