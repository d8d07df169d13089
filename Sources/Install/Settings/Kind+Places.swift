extension Settings.Kind where Value == String {
    static var address: Self {
        text("an IP address") { Settings.Naming.isAddress($0) ? nil : "'\($0)' is not an IP address" }
    }

    static var host: Self {
        text("a host name or an IP address") { text in
            // A name whose last part is a number is an address gone wrong.
            let isNumeric = text.split(separator: ".").last?.utf8.allSatisfy(Settings.Naming.isDigit) ?? true
            let isHost = Settings.Naming.isAddress(text) || (Settings.Naming.isHost(text) && !isNumeric)
            return isHost ? nil : "'\(text)' is neither a host name nor an IP address"
        }
    }

    /// What a site may answer to: a host, or any host below one.
    static var siteName: Self {
        var kind = host
        let plain = kind.read
        kind.read = { text throws(Settings.Complaint) in
            if text.hasPrefix("*.") { _ = try plain(String(text.dropFirst(2))) } else { _ = try plain(text) }
            return text
        }
        return kind
    }

    static var url: Self {
        text("a URL with http:// or https://") { text in
            isURL(text) ? nil : "'\(text)' is not a URL with http:// or https:// and a host"
        }
    }

    /// What may stand in a page's frame-ancestors.
    static var origin: Self {
        text("a site such as https://portal.example.com") { text in
            let isOrigin = ["*", "'self'"].contains(text) || (isURL(text) && text.split(separator: "/").count == 2)
            return isOrigin ? nil : "'\(text)' is not a site such as https://portal.example.com"
        }
    }

    /// A path inside a container.
    static var mountPath: Self {
        text("an absolute path") { text in
            let isPath = text.hasPrefix("/") && text != "/" && !text.split(separator: "/").contains("..")
            return isPath && !text.contains(where: { $0 == ":" || $0.isWhitespace })
                ? nil : "'\(text)' is not an absolute path without blanks or colons"
        }
    }

    private static func isURL(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        guard text.utf8.allSatisfy({ (33...126).contains($0) && !"\"'<>\\^`{|}".utf8.contains($0) }) else {
            return false
        }
        let authority = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let port = Int(authority[authority.index(after: colon)...]), (1...65535).contains(port) else {
                return false
            }
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            return Settings.Naming.isAddress(String(host.dropFirst().dropLast()))
        }
        return Settings.Naming.isHost(String(host))
    }
}
