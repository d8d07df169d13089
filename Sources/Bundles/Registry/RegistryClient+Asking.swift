import FoundationEssentials
import HTTP

extension RegistryClient {
    /// One answer: redirects followed, and with the token or login that the registry wants.
    func ask(
        _ what: String, of place: RegistryPlace, at first: String, accept: String?, _ reception: Reception
    ) async throws -> HTTPResponse {
        var url = first
        var isAuthorized = false
        for _ in 0..<8 {
            var headers = ["Accept": accept ?? "*/*"]
            if reception.offset > 0 { headers["Range"] = "bytes=\(reception.offset)-" }
            let isHome = Self.origin(url) == Self.origin(first)
            if isHome { headers["Authorization"] = tokens[place] }
            reception.begin()
            var answer = try await http.stream(
                HTTPRequest("GET", url, headers: headers, limit: .seconds(60), trust: trust)
            ) { reception.take($0, $1) }
            answer.body = try reception.words()
            try Task.checkCancellation()
            switch answer.status {
            case 301, 302, 303, 307, 308: url = try target(of: answer, from: url)
            case 401 where isHome && !isAuthorized:
                isAuthorized = true
                if let refusal = try await authorize(place, answer) { return refusal }
            default: return answer
            }
        }
        throw HTTPError("\(first) leads on and on to other addresses")
    }

    /// Gets what the registry wants to see. Answers the refusal, where that is in vain.
    private func authorize(_ place: RegistryPlace, _ answer: HTTPResponse) async throws -> HTTPResponse? {
        let challenges = Challenge.all(in: answer.headers["www-authenticate"] ?? "")
        let login = access.logins.login(host: place.host, repository: place.repository)
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let response = try await http.send(try tokenRequest(bearer, place, login))
            guard response.status == 200 else { return response }
            let said = try? JSONDecoder().decode(Token.self, from: Data(response.body))
            guard let token = said?.token ?? said?.accessToken else {
                throw HTTPError("the token server \(bearer.parameters["realm"] ?? "") answers without a token")
            }
            tokens[place] = "Bearer \(token)"
        } else if challenges.contains(where: { $0.scheme == "basic" }), let basic = login?.basic {
            tokens[place] = "Basic \(basic)"
        } else {
            return answer
        }
        return nil
    }

    private struct Token: Decodable {
        var token: String?
        var accessToken: String?
        enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
        }
    }

    /// As distribution/spec/auth says it: a GET with the login, or a POST with the token that stands for one.
    private func tokenRequest(
        _ bearer: Challenge, _ place: RegistryPlace, _ login: RegistryLogins.Login?
    ) throws -> HTTPRequest {
        let realm = bearer.parameters["realm"] ?? ""
        guard var address = URLComponents(string: realm), Self.origin(realm) != nil else {
            throw HTTPError("the registry names the token server '\(realm)', which is no address")
        }
        try allow(realm)
        var query = [
            URLQueryItem(name: "scope", value: bearer.parameters["scope"] ?? "repository:\(place.repository):pull")
        ]
        if let service = bearer.parameters["service"] { query.append(URLQueryItem(name: "service", value: service)) }
        if let identity = login?.identity {
            var form = URLComponents()
            form.queryItems =
                query + [
                    URLQueryItem(name: "grant_type", value: "refresh_token"),
                    URLQueryItem(name: "refresh_token", value: identity),
                    URLQueryItem(name: "client_id", value: "jhub"),
                ]
            return HTTPRequest(
                "POST", realm, headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Array((form.percentEncodedQuery ?? "").replacing("+", with: "%2B").utf8), trust: trust)
        }
        address.queryItems = (address.queryItems ?? []) + query
        let headers = login?.basic.map { ["Authorization": "Basic \($0)"] } ?? [:]
        return HTTPRequest("GET", address.string ?? realm, headers: headers, trust: trust)
    }

    private func target(of answer: HTTPResponse, from url: String) throws -> String {
        let location = answer.headers["location"] ?? ""
        guard let target = URL(string: location, relativeTo: URL(string: url))?.absoluteString,
            Self.origin(target) != nil
        else { throw HTTPError("\(url) leads to '\(location)', which is no address") }
        try allow(target)
        return target
    }

    /// Without TLS only where that was allowed by name: a redirect is no leave.
    private func allow(_ url: String) throws {
        guard let origin = Self.origin(url), origin.scheme == "http", !access.plainHosts.contains(origin.host) else {
            return
        }
        throw HTTPError("it leads to \(url), without TLS; if that is meant, allow it with --plain-http \(origin.host)")
    }

    private struct Origin: Hashable {
        var scheme: String
        /// With the port, where the address has one.
        var host: String
    }

    private static func origin(_ url: String) -> Origin? {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
        else { return nil }
        return Origin(scheme: scheme, host: parts.port.map { "\(host):\($0)" } ?? host)
    }
}

extension HTTPResponse {
    /// How long the server wants us to wait: seconds, or until a date (RFC 9110, 10.2.3).
    func retryAfter(now: Date = Date()) -> Duration? {
        guard let said = headers["retry-after"] else { return nil }
        if let seconds = Int(said) { return .seconds(max(0, seconds)) }
        let words = said.split { " ,:".contains($0) }
        guard words.count == 8, let month = Self.months.firstIndex(of: words[2]) else { return nil }
        let text = "\(words[3])-\(month < 9 ? "0" : "")\(month + 1)-\(words[1])T\(words[4]):\(words[5]):\(words[6])Z"
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return .seconds(max(0, date.timeIntervalSince(now)))
    }

    /// Those of HTTP's dates: "Wed, 21 Oct 2015 07:28:00 GMT".
    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
