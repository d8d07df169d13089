import FoundationEssentials

/// The logins of a Docker config.json, which `docker login`, podman and skopeo write.
package struct RegistryLogins: Sendable {
    struct Login: Hashable, Sendable, CustomStringConvertible {
        /// Name and password as HTTP's Basic wants them.
        var basic: String?
        /// What a token server takes in place of a password.
        var identity: String?
        var description: String { "***" }
    }

    private var logins: [String: Login] = [:]

    package init() {}

    package init(parsing text: some Sequence<UInt8>, of file: String) throws(BundleFault) {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(text))
        } catch {
            throw BundleFault("could not read the logins in \(file): it is no Docker config.json")
        }
        for (key, entry) in document.auths ?? [:] {
            var login = Login(identity: entry.identitytoken.flatMap { $0.isEmpty ? nil : $0 })
            if let auth = entry.auth, !auth.isEmpty {
                guard Data(base64Encoded: auth)?.contains(UInt8(ascii: ":")) == true else {
                    throw BundleFault(
                        "could not read the logins in \(file): 'auth' of \(key) is not NAME:PASSWORD in Base64")
                }
                login.basic = auth
            } else if let user = entry.username, let password = entry.password {
                login.basic = Data("\(user):\(password)".utf8).base64EncodedString()
            }
            // Without either it is only a mark that a helper program has the login.
            if login != Login() { logins[Self.host(key)] = login }
        }
    }

    /// The login for a repository: that of the repository itself, of a folder of it, or of the host.
    func login(host: String, repository: String) -> Login? {
        let host = host == "registry-1.docker.io" ? "docker.io" : host
        var path = ([host] + repository.split(separator: "/").map(String.init))[...]
        while !path.isEmpty {
            if let login = logins[path.joined(separator: "/")] { return login }
            path = path.dropLast()
        }
        return nil
    }

    /// "https://index.docker.io/v1/" is how Docker calls its own registry.
    private static func host(_ key: String) -> String {
        var name = key[...]
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) { name = name.dropFirst(scheme.count) }
        while name.hasSuffix("/") { name = name.dropLast() }
        for version in ["/v1", "/v2"] where name.hasSuffix(version) { name = name.dropLast(version.count) }
        return ["index.docker.io", "registry-1.docker.io"].contains(name) ? "docker.io" : String(name)
    }

    private struct Document: Decodable {
        struct Entry: Decodable {
            var auth: String?
            var username: String?
            var password: String?
            var identitytoken: String?
        }
        var auths: [String: Entry]?
    }
}
