import FoundationEssentials
import HTTP
import Images

/// Why a registry did not give what it was asked for, and what to do about it.
package struct RegistryError: Error, Hashable, CustomStringConvertible {
    package var description: String
    /// The registry answers, and has no such image.
    package var isAbsent = false

    init(_ place: RegistryPlace, _ what: String, _ reason: String, fix: String) {
        let host = place.host == place.image.registry ? "its registry" : place.host
        description = "could not fetch \(what) of \(place.image) from \(host): \(reason); \(fix)"
    }

    /// From an answer that is a refusal.
    init(_ place: RegistryPlace, _ what: String, _ response: HTTPResponse, hasLogin: Bool) {
        let fix =
            switch response.status {
            case 401, 403:
                hasLogin
                    ? "the login for \(place.host) in the file of --authfile does not do, or there is no such image"
                    : "it wants a login, or has no such image: "
                        + "'docker login \(place.host)', and name the config.json that this writes with --authfile"
            case 404: "there is no such image there: compare name and tag in the config with what the registry has"
            case 429:
                "it limits how often one may ask: run the same command again later, with a login (--authfile) sooner; "
                    + "what was fetched stays"
            case 500...: "run the same command again when it is well; what was fetched stays"
            default: "no registry of the OCI distribution specification answers so: check the address"
            }
        self.init(place, what, "it says \(response.said)", fix: fix)
        isAbsent = response.status == 404
    }

    /// From a connection that failed.
    init(_ place: RegistryPlace, _ what: String, _ error: HTTPError) {
        let words = error.description
        let fix =
            if words.contains("wrong version number") || words.contains("record layer") {
                "if it has no TLS at all, allow that with --plain-http \(place.host)"
            } else if words.contains("certificate") {
                "if its certificate is of the site's own authority, name that authority's PEM with --registry-ca"
            } else {
                "run the same command again when it can be reached; what was fetched stays"
            }
        self.init(place, what, words, fix: fix)
    }
}

extension HTTPResponse {
    /// The status, and the server's own words: those of the distribution specification's error, else the first line.
    var said: String {
        struct Refusal: Decodable {
            struct Cause: Decodable {
                var code: String?
                var message: String?
            }
            var errors: [Cause]?
            var details: String?
            var error: String?
        }
        var words = ""
        if let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(body)) {
            let causes = (refusal.errors ?? []).map {
                [$0.code, $0.message].compactMap(\.self).joined(separator: ": ")
            }
            words = causes.isEmpty ? refusal.details ?? refusal.error ?? "" : causes.joined(separator: ", ")
        } else {
            let line = String(decoding: body.prefix(300), as: UTF8.self).split(whereSeparator: \.isNewline).first
            words = line.map(String.init) ?? ""
        }
        words = words.split(whereSeparator: \.isNewline).joined(separator: " ")
        return words.isEmpty ? "\(status)" : "\(status) '\(words.prefix(300))'"
    }
}
