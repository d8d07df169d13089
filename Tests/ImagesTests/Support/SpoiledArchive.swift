import TestSupport

/// An image archive with faults of every depth: in a document whose digests still hold, in the list of members, in
/// the bytes of the tar, in its compression.
struct SpoiledArchive {
    /// Good archives in each compression, to be spoiled as they are.
    var packed: [[UInt8]] = []

    func members(_ dice: inout Dice) -> [Tar.Member] {
        var members = form(of: sample(&dice), &dice)
        for _ in 0..<dice.one(of: [0, 0, 0, 1, 1, 2, 4]) where !members.isEmpty { spoil(&members, &dice) }
        return members
    }

    func bytes(_ dice: inout Dice) -> [UInt8] {
        if !packed.isEmpty, dice.oneIn(6) {
            var bytes = dice.one(of: packed)
            for _ in 0..<dice.one(of: [0, 1, 1, 3]) { bytes = dice.spoil(bytes) }
            return bytes
        }
        var bytes = Tar(members: members(&dice)).bytes
        for _ in 0..<dice.one(of: [0, 0, 0, 1, 1, 2, 8]) { bytes = dice.spoil(bytes) }
        return dice.oneIn(2) ? Self.mended(bytes) : bytes
    }

    private func sample(_ dice: inout Dice) -> Sample {
        var sample = Sample("demo:1", layers: dice.one(of: [[], ["base"], ["base", "top"], ["base", "top", "base"]]))
        if dice.oneIn(3) { sample.types = .docker }
        if dice.oneIn(8) { sample.architecture = "arm64" }
        if dice.oneIn(4) {
            let seed = dice.next()
            sample.manifestEdit = { text in
                var dice = Dice(seed: seed)
                return dice.spoilJSON(text)
            }
        }
        if dice.oneIn(4) {
            let seed = dice.next()
            sample.configEdit = { text in
                var dice = Dice(seed: seed)
                return dice.spoilJSON(text)
            }
        }
        return sample
    }

    private func form(of sample: Sample, _ dice: inout Dice) -> [Tar.Member] {
        switch dice.below(4) {
        case 0: sample.docker
        case 1: sample.docker25
        case 2: sample.multiPlatform
        default: sample.oci
        }
    }

    private func spoil(_ members: inout [Tar.Member], _ dice: inout Dice) {
        let place = dice.below(members.count)
        let other = members[dice.below(members.count)]
        switch dice.below(9) {
        case 0: members.remove(at: place)
        case 1: members.append(members[place])
        case 2: members.swapAt(place, dice.below(members.count))
        case 3: members[place].name = dice.one(of: Self.names + [other.name])
        case 4: members[place].type = dice.one(of: Array("01234567LKxgSVDN"))
        case 5: members[place] = .link(members[place].name, to: dice.one(of: Self.names + [other.name]))
        case 6: members[place].claimedSize = dice.one(of: [0, 1, 511, 513, 1 << 20, 8_589_934_591])
        case 7: members[place].bytes = dice.spoil(members[place].bytes)
        default:
            let isText =
                members[place].bytes.first == UInt8(ascii: "{") || members[place].bytes.first == UInt8(ascii: "[")
            guard isText else { return }
            members[place].bytes = Array(dice.spoilJSON(String(decoding: members[place].bytes, as: UTF8.self)).utf8)
        }
    }

    private static let names = [
        "", ".", "..", "../x", "/etc/passwd", "a//b/./c", "a/../../b", "blobs", "blobs/sha256", "index.json",
        "manifest.json", "oci-layout", "repositories", "\u{1b}[2J", "\u{202e}x", String(repeating: "n", count: 99),
    ]

    /// With the right checksum in every header, so that faults in them are seen.
    private static func mended(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for start in stride(from: 0, to: bytes.count - 511, by: 512) {
            guard bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) else { continue }
            bytes.replaceSubrange(start..<start + 512, with: Tar.mended(Array(bytes[start..<start + 512])))
        }
        return bytes
    }
}
