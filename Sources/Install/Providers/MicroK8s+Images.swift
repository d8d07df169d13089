import Bundles
package import Hosts
import Images
import SystemPackage

extension MicroK8s {
    /// Read from the installed snap, since each track names its own; before that from the bundle's.
    package func images(on site: Site) async throws -> Wanted {
        let wanted = try await installedImages(Self.sources, on: site)
        return wanted.images.isEmpty ? try await carriedImages(in: site.bundle, site.head) : wanted
    }

    /// Those without which the first pods do not start.
    func firstImages(on site: Site) async throws -> [ImageReference] {
        try await installedImages(Self.sources.filter(\.isFirst), on: site).images.map(\.reference)
    }

    /// Read out of the snap file; where that cannot be, as bundle.json has it; else those of the 1.30 track, with a doubt.
    package func carriedImages(in bundle: Bundle, _ host: Host) async throws -> Wanted {
        var wanted = Wanted()
        var reason = "there is no microk8s_REVISION.snap in \(bundle.path.appending("snaps"))"
        if let snap = try bundle.snaps().first(where: { $0.name == "microk8s" }) {
            let file = SnapFile(path: snap.file, host: host)
            do {
                for source in Self.sources {
                    wanted.add(ImageMentions.of(try await file.text(of: source.inSnap) ?? ""), for: source.need)
                }
                reason = "\(snap.file) names none"
            } catch let error as FactError {
                reason = "\(error)"
            }
        }
        if wanted.images.isEmpty { wanted = try recordedImages(in: bundle) }
        guard wanted.images.isEmpty else { return wanted }
        for (image, need) in Self.imagesOf130 { wanted.add(try ImageReference(parsing: image), for: need) }
        wanted.doubts = ["the images of MicroK8s are taken to be those of 1.30, since \(reason)"]
        return wanted
    }

    /// Those that whoever made the bundle found in its snap.
    private func recordedImages(in bundle: Bundle) throws -> Wanted {
        var wanted = Wanted()
        for image in bundle.folder?.description.images ?? [] {
            for need in image.needs where need.hasPrefix("MicroK8s: ") {
                for name in image.names { wanted.add(try ImageReference(parsing: name), for: need) }
            }
        }
        return wanted
    }

    private func installedImages(_ sources: [Source], on site: Site) async throws -> Wanted {
        var wanted = Wanted()
        for source in sources {
            wanted.add(ImageMentions.of(try await site.head.text(of: source.installed) ?? ""), for: source.need)
        }
        return wanted
    }

    /// A file of MicroK8s that names images.
    private struct Source {
        var need: String
        var inSnap: FilePath
        var installed: FilePath
        var isFirst = false
    }

    private static let (sandbox, network) = ("MicroK8s: every pod's sandbox", "MicroK8s: network")
    private static let (names, volumes) = ("MicroK8s: addon dns", "MicroK8s: addon hostpath-storage")

    private static let sources = [
        Source(
            need: sandbox, inSnap: "default-args/containerd-template.toml",
            installed: data.pushing("args/containerd-template.toml"), isFirst: true),
        Source(
            need: network, inSnap: "upgrade-scripts/000-switch-to-calico/resources/calico.yaml",
            installed: data.pushing("args/cni-network/cni.yaml"), isFirst: true),
        Source(
            need: names, inSnap: "addons/core/addons/dns/coredns.yaml",
            installed: common.pushing("addons/core/addons/dns/coredns.yaml")),
        Source(
            need: volumes, inSnap: "addons/core/addons/hostpath-storage/storage.yaml",
            installed: common.pushing("addons/core/addons/hostpath-storage/storage.yaml")),
    ]

    /// Source: build-scripts/images.txt and the core addons of MicroK8s 1.30.
    private static let imagesOf130 = [
        ("registry.k8s.io/pause:3.7", sandbox), ("docker.io/calico/cni:v3.25.1", network),
        ("docker.io/calico/node:v3.25.1", network), ("docker.io/calico/kube-controllers:v3.25.1", network),
        ("docker.io/coredns/coredns:1.10.1", names), ("docker.io/cdkbot/hostpath-provisioner:1.5.0", volumes),
        ("docker.io/library/busybox:1.28.4", volumes),
    ]
}

extension Wanted {
    fileprivate mutating func add(_ references: [ImageReference], for need: String) {
        for reference in references { add(reference, for: need) }
    }
}
