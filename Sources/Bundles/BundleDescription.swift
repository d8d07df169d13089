package import Images

/// What bundle.json says: all that a bundle holds.
package struct BundleDescription: Codable, Hashable, Sendable {
    /// Raised when a reader of before could misunderstand it.
    package static let currentFormat = 1

    package var format = Self.currentFormat
    /// RFC 3339, in UTC: no clock of a site may say less.
    package var created: String
    package var platform: Platform
    /// What the OS packages are for, as os-release says it; nil without packages.
    package var system: System?
    /// Of what is installed: "jhub-install", "jupyterhub", "microk8s".
    package var versions: [String: String]
    /// Sorted by their first names.
    package var images: [Image]
    /// All but bundle.json and its signature, sorted by path.
    package var files: [File]
    /// Blobs of the images that the site already has, as its inventory said: this bundle is for that site alone.
    package var omitted: [Blob]
    package var checkpoints: Checkpoints

    package struct System: Codable, Hashable, Sendable {
        package var id: String
        package var version: String
        package init(id: String, version: String) { (self.id, self.version) = (id, version) }
    }

    package struct Image: Codable, Hashable, Sendable {
        package var names: [String]
        package var digest: Digest
        /// What asks for it: "SINGLEUSER_IMAGE", "chart jupyterhub-4.2.0: Deployment hub".
        package var needs: [String]
        /// Its blobs for the platform: index (if any), manifest, config, layers.
        package var blobs: [Blob]

        package init(names: [String], digest: Digest, needs: [String], blobs: [Blob]) {
            (self.names, self.digest, self.needs, self.blobs) = (names, digest, needs, blobs)
        }
    }

    package struct File: Codable, Hashable, Sendable {
        /// Below the bundle's directory, with slashes; never absolute, no "." or "..".
        package var path: String
        /// In bytes.
        package var size: Int64
        package var sha256: Digest
        package var isProgram: Bool
        package var needs: [String]

        package init(path: String, size: Int64, sha256: Digest, isProgram: Bool = false, needs: [String] = []) {
            (self.path, self.size, self.sha256) = (path, size, sha256)
            (self.isProgram, self.needs) = (isProgram, needs)
        }
    }

    package struct Checkpoints: Codable, Hashable, Sendable {
        package var size: Int64
        package var sha256: Digest
        package init(size: Int64, sha256: Digest) { (self.size, self.sha256) = (size, sha256) }
    }

    package init(
        created: String, platform: Platform, system: System? = nil, versions: [String: String] = [:],
        images: [Image] = [], files: [File] = [], omitted: [Blob] = [], checkpoints: Checkpoints
    ) {
        (self.created, self.platform, self.system, self.versions) = (created, platform, system, versions)
        (self.images, self.files, self.omitted, self.checkpoints) = (images, files, omitted, checkpoints)
    }
}
