package import Hosts
import Images
import Kube
package import SystemPackage

import class Foundation.FileManager

/// Which images a config asks for, told from what is carried alone: no node and no cluster is looked at.
package struct Wants: Sendable {
    package var settings: Settings
    /// Its charts and snaps.
    package var bundle: Bundle
    /// Where `templates/` and `profiles/` are.
    package var root: FilePath
    /// Where Helm runs and the snap is looked into.
    package var host: Host
    /// The Helm to render the chart with; nil looks for one.
    package var helm: FilePath?

    package init(settings: Settings, bundle: Bundle, root: FilePath, host: Host, helm: FilePath? = nil) {
        (self.settings, self.bundle, self.root, self.host, self.helm) = (settings, bundle, root, host, helm)
    }

    /// Every image with what asks for it, sorted by name. An error where that cannot be known for certain.
    package func images() async throws -> [WantedImage] {
        var wanted = try await settings.provider.carriedImages(in: bundle, host).asConfigured(by: settings)
        wanted.add(try ofConfig())
        wanted.add(try ofTemplates())
        wanted.add(try await ofChart())
        if let doubt = wanted.doubts.first {
            throw BundleError("could not list the images that will be needed: \(doubt)")
        }
        return wanted.images.sorted { $0.reference.description < $1.reference.description }
    }

    /// What the bundle lacks of all that: a line for each image, with what asks for it and what to do. It blocks while
    /// archives are read.
    package func absent() async throws -> [String] {
        var wanted = Wanted()
        for image in try await images() { for need in image.needs { wanted.add(image.reference, for: need) } }
        // What is omitted the site has, as its inventory said.
        return wanted.absent(from: try bundle.shelf().images()).map { image in
            "the bundle lacks \(image): make it again with this config, or add that image with 'jhub-install bundle add'"
        }
    }

    /// What the config names, and the profiles beside it.
    func ofConfig() throws -> Wanted {
        var wanted = Wanted()
        var named = [
            ("HUB_IMAGE", settings.hubImage), ("PROXY_IMAGE", settings.proxyImage),
            ("SINGLEUSER_IMAGE", settings.singleuserImage),
        ]
        named += settings.allowedCustomImages.map { ("ALLOWED_CUSTOM_IMAGES", $0) }
        for key in ["COREDNS_IMAGE", "HOSTPATH_PROVISIONER_IMAGE"] where settings.source(of: key) != .standard {
            named.append((key, settings.text(of: key)))
        }
        named += try Profile.all(in: root).compactMap { profile in
            profile.image.map { ("profiles/\(profile.file)", $0) }
        }
        for (need, text) in named { wanted.add(try ImageReference(parsing: text), for: need) }
        return wanted
    }

    /// What the installer's own objects name.
    func ofTemplates() throws -> Wanted {
        var wanted = Wanted()
        let folder = root.pushing("templates/kubernetes")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted() {
            let bytes = FileManager.default.contents(atPath: folder.appending(name).string) ?? .init()
            for object in try JSON.documents(yaml: String(decoding: bytes, as: UTF8.self)) {
                wanted.add(object, of: "templates/kubernetes/\(name)")
            }
        }
        return wanted
    }

    /// What the hub's chart names, rendered with the values that it will get.
    func ofChart() async throws -> Wanted {
        let name = "jupyterhub-\(settings.jhubChartVersion)"
        guard let chart = try bundle.chart("jupyterhub", version: settings.jhubChartVersion) else {
            throw BundleError("there is no \(bundle.path)/charts/\(name).tgz, the hub's chart")
        }
        var wanted = Wanted()
        guard let helm = try await helmCommand() else {
            wanted.doubts = ["\(chart) could not be rendered: there is no helm, neither in PATH nor in a MicroK8s snap"]
            return wanted
        }
        let values = try HubValues(
            settings: settings, secrets: .blank, root: root, node: NodeSize(cores: 4, bytes: Double(Int64.gib(16)))
        ).json
        let release = HelmRelease(name: settings.jhubRelease, namespace: settings.jhubNs, helm: helm, host: host)
        let template = release.template(chart: chart, values: values)
        let outcome = try await host.transport.run(template)
        guard outcome.status == 0 else {
            wanted.doubts = ["\(chart) could not be rendered: \(outcome.lastWords)"]
            return wanted
        }
        for object in try JSON.documents(yaml: outcome.output) { wanted.add(object, of: "chart \(name)") }
        return wanted
    }

    /// A Helm that can render without a cluster: that of the config, of MicroK8s, of this machine, or of the snap
    /// that is still to be installed.
    private func helmCommand() async throws -> [String]? {
        if let named = helm ?? settings.helmBinary {
            guard try await host.has(named) else { throw BundleError("there is no \(named) to render the chart with") }
            return [named.string]
        }
        for file in ["/snap/microk8s/current/bin/helm", try await host.program("helm")] {
            if let file, try await host.has(file) { return [file.string] }
        }
        guard let snap = try bundle.snaps().first(where: { $0.name == "microk8s" }) else { return nil }
        return SnapFile(path: snap.file, host: host).command("bin/helm")
    }
}

extension Wanted {
    /// The images from where the config wants them.
    func asConfigured(by settings: Settings) -> Wanted { settings.patchCalico ? renamed(\.calicoFromQuay) : self }
}

extension HubSecrets {
    /// For a look at what the chart makes of the values; it never reaches a cluster.
    fileprivate static let blank = HubSecrets(
        proxyToken: String(repeating: "0", count: 64), cookieSecret: String(repeating: "0", count: 64),
        cryptKey: String(repeating: "0", count: 64))
}
