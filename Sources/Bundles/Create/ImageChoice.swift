package import Images

/// An image that a bundle is to hold.
package struct ChosenImage: Sendable {
    /// As the config wants them.
    package var names: [ImageReference]
    package var needs: [String]
    package var image: SuppliedImage
}

/// Finds the images that a config wants, each in the first supply that has it.
package struct ImageChoice: Sendable {
    package var supplies: [any ImageSupply]
    /// The digest that a name is to mean, whatever its tag means today.
    package var pins: [ImageReference: Digest]

    package init(from supplies: [any ImageSupply], pins: [ImageReference: Digest] = [:]) {
        (self.supplies, self.pins) = (supplies, pins)
    }

    /// From NAME:TAG@sha256:….
    package static func pin(parsing text: String) throws(BundleFault) -> (ImageReference, Digest) {
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard parts.count == 2, let name = try? ImageReference(parsing: parts[0]),
            let digest = try? Digest(parsing: parts[1])
        else { throw BundleFault("'\(text)' is no pin: write NAME:TAG@sha256:… with 64 digits") }
        return (name, digest)
    }

    /// One entry an image, whatever its names. All that float and all that are nowhere are named in one error.
    package func choose(
        _ wanted: [(reference: ImageReference, needs: [String])], report: @Sendable (ImageReference, String) -> Void
    ) async throws -> [ChosenImage] {
        var chosen: [Digest: ChosenImage] = [:]
        var floating: [String] = []
        var absent: [String] = []
        for (reference, needs) in wanted.sorted(by: { $0.reference.description < $1.reference.description }) {
            let image: SuppliedImage
            switch try await find(reference) {
            case .found(let found, let origin):
                image = found
                report(reference, origin)
            case .nowhere(let reasons):
                absent.append("\(reference) (\(needs.joined(separator: ", "))): \(reasons.joined(separator: "; "))")
                continue
            }
            if reference.tag == "latest", pins[reference] == nil {
                floating.append("--pin \(reference)@\(image.target.digest)")
            }
            var entry = chosen[image.target.digest] ?? ChosenImage(names: [], needs: [], image: image)
            entry.names.append(reference)
            entry.needs += needs.filter { !entry.needs.contains($0) }
            chosen[image.target.digest] = entry
        }
        guard absent.isEmpty else { throw BundleFault("could not find \(absent.joined(separator: "; nor "))") }
        guard floating.isEmpty else {
            throw BundleFault(
                "the tag 'latest' means another image tomorrow: name a version in the config, or say that what it "
                    + "means today is meant: \(floating.joined(separator: " "))")
        }
        return chosen.values.sorted { $0.names[0].description < $1.names[0].description }
    }

    private enum Search {
        case found(SuppliedImage, String)
        case nowhere([String])
    }

    private func find(_ reference: ImageReference) async throws -> Search {
        var reasons: [String] = []
        for supply in supplies {
            do {
                if let image = try await image(reference, of: supply) { return .found(image, supply.name) }
                reasons.append("\(supply.name) has none of that name")
            } catch let incomplete as IncompleteImage {
                reasons.append(incomplete.reason)
            } catch let error as RegistryError where error.isAbsent {
                reasons.append(error.description)
            }
        }
        return .nowhere(reasons)
    }

    private func image(_ reference: ImageReference, of supply: any ImageSupply) async throws -> SuppliedImage? {
        guard let pin = pins[reference] else { return try await supply.image(reference) }
        let name = try ImageReference(parsing: "\(reference.registry)/\(reference.repository)@\(pin)")
        return try await supply.image(name)
    }
}
