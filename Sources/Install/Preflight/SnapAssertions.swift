import Hosts
import SystemPackage

/// snapd takes a file only with the store's word for it, and says so late and badly.
struct SnapAssertions: Check {
    let id = "snap.assert"
    let title = "Each snap file is the one that its assertion vouches for"

    func finding(on site: Site) async throws -> Finding {
        let needs = "a .assert beside each .snap, with its size and SHA3-384"
        let installed = Set(try await site.snaps().map { "\($0.name)_\($0.revision)" })
        var (good, faults, unsure): ([String], [String], [String]) = ([], [], [])
        for snap in try site.bundle.snaps() where !installed.contains("\(snap.name)_\(snap.revision)") {
            let name = snap.file.lastComponent?.string ?? snap.file.string
            switch try await verdict(on: snap, site.head) {
            case .good: good.append(name)
            case .unsure(let why): unsure.append("\(name): \(why)")
            case .bad(let why): faults.append("\(name) \(why)")
            }
        }
        if try site.bundle.snaps().isEmpty { return .passed("no snap file to look at", needs: needs) }
        let fix =
            "fetch it again where there is Internet (snap download NAME writes both files) and carry both into snaps/"
        if !faults.isEmpty { return .failed(faults.joined(separator: "; "), needs: needs, fix: fix) }
        if !unsure.isEmpty {
            return .unknown(
                because: "could not be measured: \(unsure.joined(separator: "; "))", needs: needs,
                fix: "apt install openssl")
        }
        return .passed(good.isEmpty ? "all installed already" : good.joined(separator: ", "), needs: needs)
    }

    private enum Verdict {
        case good
        case unsure(String)
        case bad(String)
    }

    private func verdict(on snap: Bundle.Snap, _ host: Host) async throws -> Verdict {
        guard let assertion = snap.assertion else { return .bad("has no .assert file beside it") }
        guard let text = try await host.text(of: assertion) else {
            return .bad("has an .assert file that cannot be read")
        }
        guard let revision = Self.revision(in: text), let size = revision["snap-size"],
            let digest = revision["snap-sha3-384"]
        else { return .bad("has an .assert file without a snap-revision") }
        let actual = try await host.transport.state(of: snap.file)?.size ?? 0
        guard String(actual) == size else { return .bad("has \(actual) bytes, its assertion says \(size)") }
        guard try await host.program("openssl") != nil else {
            return .unsure("its size is right, and there is no openssl to hash it")
        }
        let outcome = try await host.transport.run(["openssl", "dgst", "-sha3-384", "-r", snap.file.string])
        guard outcome.status == 0, let hex = outcome.output.words.first else {
            return .unsure("openssl says '\(outcome.lastWords)'")
        }
        return Self.base64(hex) == digest ? .good : .bad("is not the file that its assertion vouches for (SHA3-384)")
    }

    /// The headers of the assertion about this very file; the others are about the store and its keys.
    static func revision(in text: String) -> [String: String]? {
        for part in text.split(separator: "\n\n") {
            var headers: [String: String] = [:]
            for line in part.split(separator: "\n") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                headers[String(line[..<colon])] = line[line.index(after: colon)...].trimmed
            }
            if headers["type"] == "snap-revision" { return headers }
        }
        return nil
    }

    /// Assertions write digests in URL-safe base64 without padding.
    static func base64(_ hex: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var (bits, count, result) = (0, 0, "")
        for digit in hex {
            guard let value = digit.hexDigitValue else { return "" }
            (bits, count) = (bits << 4 | value, count + 4)
            while count >= 6 {
                count -= 6
                result.append(alphabet[bits >> count & 63])
                bits &= (1 << count) - 1
            }
        }
        if count > 0 { result.append(alphabet[bits << (6 - count) & 63]) }
        return result
    }
}
