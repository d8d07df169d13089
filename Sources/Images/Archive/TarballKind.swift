package import SystemPackage

/// What a .tgz holds: that is what charts are called, and archives of images at times.
package enum TarballKind: Hashable, Sendable {
    case chart
    case images

    /// By the first name that tells: a chart has NAME/Chart.yaml, an archive of images its lists.
    package init(of path: FilePath) throws(ImageError) {
        var reader = try ArchiveReader(at: path)
        while let member = try reader.next() {
            let parts = member.name.split(separator: "/")
            if parts.count == 2, parts[1] == "Chart.yaml" {
                self = .chart
                return
            }
            if ["index.json", "manifest.json", "oci-layout"].contains(member.name) {
                self = .images
                return
            }
        }
        throw ImageError(
            "read", path.string, "it is neither a chart, with its NAME/Chart.yaml, nor an archive of images")
    }
}
