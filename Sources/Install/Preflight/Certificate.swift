import Hosts
import SystemPackage

/// What openssl says of a certificate.
struct Certificate: Fact {
    struct Value: Hashable, Sendable {
        var subject: String
        /// Seconds since 1970.
        var start: Int
        var end: Int
        /// Its names and addresses, as in "DNS:hub.example.com".
        var names: [String]
        var key: String

        func days(at now: Int) -> Int { (end - now) / 86_400 }

        /// Whether a browser that asks for this host is content.
        func covers(_ host: String) -> Bool {
            names.contains { name in
                guard let colon = name.firstIndex(of: ":") else { return false }
                let value = name[name.index(after: colon)...].lowercased()
                if value == host.lowercased() { return true }
                guard value.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
                return host[dot...].lowercased() == value.dropFirst()
            }
        }
    }

    var path: FilePath
    init(at path: FilePath) { self.path = path }

    var command: Command {
        [
            "openssl", "x509", "-in", path.string, "-noout", "-subject", "-startdate", "-enddate", "-ext",
            "subjectAltName",
            "-pubkey",
        ]
    }

    func value(of outcome: Outcome) throws(FactError) -> Value {
        guard outcome.status == 0 else { throw FactError("openssl cannot read \(path): \(outcome.lastWords)") }
        let values = outcome.output.assignments
        guard let start = values["notBefore"].flatMap(Self.seconds), let end = values["notAfter"].flatMap(Self.seconds)
        else {
            throw FactError("openssl says no dates of \(path)")
        }
        let names = outcome.output.lines.first { $0.contains("DNS:") || $0.contains("IP Address:") }
        let key = outcome.output.lines.drop { !$0.hasPrefix("-----BEGIN PUBLIC KEY") }
        return Value(
            subject: values["subject"] ?? "", start: start, end: end,
            names: names?.split(separator: ",").map { $0.trimmed } ?? [],
            key: key.prefix { $0.hasPrefix("-----BEGIN") || !$0.hasPrefix("-----") }.dropFirst().joined())
    }

    /// "Nov 21 09:58:00 2026 GMT", without a formatter's weight.
    static func seconds(_ text: String) -> Int? {
        let words = text.words
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard words.count >= 4, let month = months.firstIndex(of: words[0]), let day = Int(words[1]),
            let year = Int(words[3])
        else { return nil }
        let clock = words[2].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3 else { return nil }
        // Days from a year that begins in March, so that the leap day is the last (Hinnant, "chrono-compatible low-level date algorithms").
        let shifted = month < 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 10) % 12) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return ((days * 24 + clock[0]) * 60 + clock[1]) * 60 + clock[2]
    }
}
