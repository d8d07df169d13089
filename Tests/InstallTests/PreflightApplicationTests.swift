import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Install

@Suite struct PreflightApplication {
    static let faults: [PreflightFault] = [
        PreflightFault("app.bundle", .failed, "there is no folder", "--bundle DIR") { $0.remove() },
        PreflightFault("app.bundle", .failed, "k8s-hub-4.2.0.tar is empty") { try $0.carry("k8s-hub-4.2.0.tar", "") },
        PreflightFault("app.bundle", .failed, "no archive") { try $0.drop("k8s-hub-4.2.0.tar") },
        PreflightFault("app.files", .failed, "without templates/hub", "--root DIR") { machine in
            machine.host[machine.site.root.pushing("templates/hub/10-native.py")] = nil
        },
        PreflightFault("app.chart", .failed, "not in", "helm pull jupyterhub --version 4.2.0") {
            try $0.drop("charts/jupyterhub-4.2.0.tgz")
        },
        PreflightFault(
            "app.complete", .failed, "quay.io/jupyterhub/k8s-hub:4.2.0",
            "k8s-hub-4.2.0.tar quay.io/jupyterhub/k8s-hub:4.2.0"
        ) { _ in },
        PreflightFault(
            "app.later", .warning, "USE_GPU_OPERATOR (the GPU Operator), CLUSTER_NODE_IPS", "the rest is installed"
        ) {
            $0.settings.useGpuOperator = true
            $0.settings.clusterNodeIps = ["10.99.0.11"]
        },
        PreflightFault("app.pull_policy", .failed, "SINGLEUSER_IMAGE_PULL_POLICY = Always") {
            $0.settings.singleuserImagePullPolicy = .always
        },
        PreflightFault("app.auth", .warning, "AUTH_MODE=github") { $0.settings.authMode = .github },
        PreflightFault("app.profiles", .warning, "LIMITRANGE_MAX_MEMORY is 1Gi") {
            $0.settings.enableResourceQuota = true
            $0.settings.limitrangeMaxMemory = Quantity("1Gi") ?? .zero
        },
        tls(.failed, "there is no /etc/ssl/hub.crt") { $0.host["/etc/ssl/hub.crt"] = nil },
        tls(.failed, "only one of certificate and key") { $0.settings.nginxProxyKeyFile = nil },
        tls(.failed, "is not the key of") { machine in
            machine.host.answer(
                where: { $0.argv.starts(with: ["openssl", "pkey"]) },
                Outcome(output: "-----BEGIN PUBLIC KEY-----\nMFkwEwother\n-----END PUBLIC KEY-----\n"))
        },
        tls(.failed, "cannot read the key", "without a passphrase") { machine in
            machine.host.answer(
                where: { $0.argv.starts(with: ["openssl", "pkey"]) },
                Outcome(status: 1, errors: "Could not read key from /etc/ssl/hub.key\n"))
        },
        tls(.failed, "openssl cannot read /etc/ssl/hub.crt", "PEM") { machine in
            machine.host.answer(
                where: { $0.argv.starts(with: ["openssl", "x509"]) },
                Outcome(status: 1, errors: "Could not read certificate from /etc/ssl/hub.crt\n"))
        },
        tls(.warning, "not for other.example.org") { $0.settings.nginxProxyServerName = ["other.example.org"] },
        tls(.warning, "it lasts 29 days") { $0.host.answer(["date", "+%s"], output: "1824220000\n") },
        tls(.failed, "it is out of date") { $0.host.answer(["date", "+%s"], output: "1826793067\n") },
        tls(.failed, "it is not valid yet") { $0.host.answer(["date", "+%s"], output: "1790000000\n") },
        tls(.unknown, "there is no openssl") { $0.host["/usr/bin/openssl"] = nil },
    ]

    private static func tls(
        _ verdict: Finding.Verdict, _ words: String, _ fix: String = "",
        spoil: @escaping @Sendable (inout PreflightMachine) throws -> Void
    ) -> PreflightFault {
        PreflightFault("app.tls", verdict, words, fix) { machine in
            try secure(&machine)
            try spoil(&machine)
        }
    }

    /// An Nginx with a certificate of the site's own.
    private static func secure(_ machine: inout PreflightMachine) throws {
        machine.settings.enableNginxProxy = true
        machine.settings.nginxProxyServerName = ["hub.example.com", "jupyter.lab.example.com", "10.99.0.2"]
        machine.settings.nginxProxyCertFile = "/etc/ssl/hub.crt"
        machine.settings.nginxProxyKeyFile = "/etc/ssl/hub.key"
        machine.host["/etc/ssl/hub.crt"] = "PEM"
        machine.host["/etc/ssl/hub.key"] = "PEM"
    }

    @Test(arguments: faults) func isFound(_ fault: PreflightFault) async throws { try await fault.expect() }

    @Test func aWholeCertificateIsGood() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        try Self.secure(&machine)
        let finding = try await machine.finding("app.tls")
        #expect(finding == .passed("it lasts 364 days", needs: finding.threshold))
    }

    @Test func anImageThatTheNodeHasNeedsNoArchive() throws {
        let hub = try ImageReference(parsing: "quay.io/jupyterhub/k8s-hub:4.2.0")
        var wanted = Wanted()
        wanted.add(hub, for: "HUB_IMAGE")
        wanted.add(hub, for: "chart jupyterhub-4.2.0: Deployment hub")
        var holdings = Holdings()
        let (manifest, config) = (Digest(of: "hub".utf8), Digest(of: "config".utf8))
        holdings.records[hub.description] = .init(digest: manifest)
        holdings.content[manifest] = ["containerd.io/gc.ref.content.config": config.description]
        holdings.content[config] = [:]
        #expect(ImagesComplete.finding(for: wanted, on: [], holdings, bundle: Bundle(at: "/b")).verdict == .passed)
        holdings.content[config] = nil
        let finding = ImagesComplete.finding(for: wanted, on: [], holdings, bundle: Bundle(at: "/b"))
        #expect(
            finding.measured == "no archive holds \(hub) (HUB_IMAGE, chart jupyterhub-4.2.0: Deployment hub)")
        #expect(finding.fix?.contains("docker save -o /b/k8s-hub-4.2.0.tar quay.io/jupyterhub/k8s-hub:4.2.0") == true)
    }

    /// A bundle of `--have` is for one site: another is told so by name, and that site finds it whole.
    @Test func whatABundleLeavesToTheSiteHasToBeThere() throws {
        let made = try TestBundle()
        let whole = try #require(try made.opened().shelf().images().first)
        let layer = try #require(whole.layers.first).blob
        try made.leaveOut(layer)
        let bundle = try made.opened()
        let shelf = try bundle.shelf().images()
        var wanted = Wanted()
        wanted.add(try ImageReference(parsing: TestBundle.image), for: "SINGLEUSER_IMAGE")
        let finding = ImagesComplete.finding(for: wanted, on: shelf, Holdings(), bundle: bundle)
        #expect(
            finding.measured == "the bundle was made for a site that has layers of \(TestBundle.image) "
                + "(SINGLEUSER_IMAGE), and this node has not")
        #expect(finding.fix?.contains("without --have, or with an inventory of this site") == true)
        var holdings = Holdings()
        holdings.content[layer.digest] = [:]
        #expect(ImagesComplete.finding(for: wanted, on: shelf, holdings, bundle: bundle).verdict == .passed)
        wanted.add(try ImageReference(parsing: "demo:2"), for: "HUB_IMAGE")
        let both = ImagesComplete.finding(for: wanted, on: shelf, Holdings(), bundle: bundle)
        #expect(
            both.measured.hasPrefix("the bundle lacks docker.io/library/demo:2 (HUB_IMAGE); the bundle was made for"))
    }

    @Test func anImageWithoutANameIsNoAnswer() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        var image = try #require(try await machine.neededImages().first)
        image.names = []
        var wanted = Wanted()
        wanted.add(try ImageReference(parsing: "a/a:1"), for: "HUB_IMAGE")
        let finding = ImagesComplete.finding(for: wanted, on: [image], Holdings(), bundle: Bundle(at: "/b"))
        #expect(finding.measured.hasSuffix("; and nothing can ask for the images without a name in \(image.archive)"))
        #expect(finding.fix?.contains("saved again with it: docker save NAME, skopeo copy") == true)
        machine.settings = Settings()
    }

    @Test func whatCouldNotBeLookedIntoIsSaid() throws {
        var wanted = Wanted()
        wanted.doubts = ["the chart could not be rendered"]
        let finding = ImagesComplete.finding(for: wanted, on: [], Holdings(), bundle: Bundle(at: "/b"))
        #expect(finding.verdict == .unknown)
        #expect(finding.measured == "could not be measured: the chart could not be rendered")
    }

    @Test func aDamagedArchiveFails() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        try machine.carry("k8s-hub-4.2.0.tar", "this is no archive")
        let finding = try await ImagesComplete(carried: Carried()).finding(on: machine.site)
        #expect(finding.verdict == .failed)
        #expect(finding.measured.contains("k8s-hub-4.2.0.tar"), "\(finding)")
        machine.settings = Settings()
    }

    @Test func anExistingClusterIsAskedForWhatItLacks() async throws {
        var machine = try PreflightMachine()
        defer { machine.remove() }
        machine.settings.clusterProvider = .existing
        machine.provider = ExistingCluster(
            kubeconfig: "/etc/kubernetes/admin.conf", socket: "/run/containerd/containerd.sock", helm: "/opt/helm")
        machine.images = ContainerdStore(on: "head", at: "/no/such.sock")
        for (id, words) in [
            ("kube.config", "/etc/kubernetes/admin.conf"), ("kube.containerd", "/no/such.sock"),
            ("kube.helm", "/opt/helm"),
        ] {
            let finding = try await machine.finding(id)
            #expect(finding.verdict == .failed && finding.measured.contains(words), "\(id): \(finding)")
        }
        machine.host["/opt/helm"] = "ELF"
        #expect(try await machine.finding("kube.helm").verdict == .passed)
        machine.images = StubImages()
        #expect(try await machine.finding("kube.containerd").verdict == .passed)
    }
}
