import Images

/// Which registries are asked, how, and as whom.
package struct RegistryAccess: Sendable {
    /// By the host in an image's name: what is asked in its place, "mirror.example:5000", or with what goes
    /// before the repository, "mirror.example/hub".
    package var mirrors: [String: String]
    /// Hosts, each with its port where it has one, that are spoken to without TLS. No other ever is.
    package var plainHosts: Set<String>
    /// Authorities to believe beside the system's, as PEM.
    package var authorities: [UInt8]
    package var logins: RegistryLogins

    package init(
        mirrors: [String: String] = [:], plainHosts: Set<String> = [], authorities: [UInt8] = [],
        logins: RegistryLogins = RegistryLogins()
    ) {
        (self.mirrors, self.plainHosts) = (mirrors, plainHosts)
        (self.authorities, self.logins) = (authorities, logins)
    }

    /// Where an image's repository is asked for.
    func place(of image: ImageReference) -> RegistryPlace {
        let mirror = mirrors[image.registry]
        // Docker's registry has another name than its images.
        let parts = (mirror ?? (image.registry == "docker.io" ? "registry-1.docker.io" : image.registry))
            .split(separator: "/", maxSplits: 1)
        let host = parts.first.map(String.init) ?? image.registry
        let prefix = parts.count == 2 ? "\(parts[1])/" : ""
        return RegistryPlace(
            image: image, host: host, repository: prefix + image.repository, scheme: scheme(of: host))
    }

    func scheme(of host: String) -> String { plainHosts.contains(host) ? "http" : "https" }
}

/// A repository, and the image that is wanted of it.
struct RegistryPlace: Hashable, Sendable {
    var image: ImageReference
    /// Of the server; with its port, where it has one.
    var host: String
    var repository: String
    var scheme: String

    func url(_ kind: String, _ name: String) -> String { "\(scheme)://\(host)/v2/\(repository)/\(kind)/\(name)" }
}
