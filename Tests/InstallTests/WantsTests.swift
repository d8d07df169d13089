import Hosts
import Images
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

/// Which images a config wants, told from what is carried.
@Suite struct WantsTests {
    var machine: TestMachine
    private var host: ScriptedHost { machine.host }
    private static let helm: FilePath = "/usr/local/bin/helm"

    init() throws {
        machine = try TestMachine()
        machine.settings.clusterProvider = .existing
        try machine.folder.put("charts/jupyterhub-4.2.0.tgz")
        host[Self.helm] = "helm"
        renders("kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'quay.io/a/pod:1'}]}\n")
    }

    private var wants: Wants {
        Wants(settings: machine.settings, bundle: machine.bundle, root: repository, host: host.host)
    }

    private func renders(_ yaml: String, status: Int32 = 0, errors: String = "") {
        host.answer(
            where: { $0.argv.contains("template") }, Outcome(status: status, output: yaml, errors: errors))
    }

    private func needs(_ name: String) async throws -> [String]? {
        try await wants.images().first { $0.reference.description == name }?.needs
    }

    @Test mutating func configAndChartAreNamedTogether() async throws {
        machine.settings.allowedCustomImages = ["myorg/r:1"]
        renders("kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'docker.io/myorg/r:1'}]}\n")
        #expect(try await needs("docker.io/myorg/r:1") == ["ALLOWED_CUSTOM_IMAGES", "chart jupyterhub-4.2.0: Pod p"])
        #expect(try await needs("quay.io/jupyterhub/k8s-hub:4.2.0") == ["HUB_IMAGE"])
        let names = try await wants.images().map(\.reference.description)
        #expect(names == names.sorted() && Set(names).count == names.count)
    }

    @Test func helmGetsTheValuesThatTheHubWillGet() async throws {
        _ = try await wants.images()
        let command = try #require(host.ran.last)
        #expect(
            command.argv == [
                "/usr/local/bin/helm", "template", "jhub", "\(machine.folder.path)/charts/jupyterhub-4.2.0.tgz",
                "--values", "-", "--kube-version", "1.30.0", "--namespace", "jhub",
            ])
        let values = try JSON(parsing: String(decoding: command.input, as: UTF8.self))
        #expect(values[["singleuser", "image", "name"]]?.string == "quay.io/jupyterhub/k8s-singleuser-sample")
    }

    @Test func whoWantsAnotherHelmNamesIt() async throws {
        host["/opt/helm"] = "helm"
        var wants = wants
        wants.helm = "/opt/helm"
        _ = try await wants.images()
        #expect(host.ran.last?.argv.first == "/opt/helm")
        wants.helm = "/opt/other"
        await #expect {
            try await wants.images()
        } throws: {
            "\($0)" == "there is no /opt/other to render the chart with"
        }
    }

    @Test func aChartThatCannotBeRenderedIsAnError() async throws {
        renders("", status: 1, errors: "Error: values don't meet the specifications of the schema\n")
        await #expect {
            try await wants.images()
        } throws: {
            "\($0)"
                == "could not list the images that will be needed: \(machine.folder.path)/charts/jupyterhub-4.2.0.tgz "
                + "could not be rendered: Error: values don't meet the specifications of the schema"
        }
    }

    @Test func withoutChartOrHelmNothingIsCertain() async throws {
        host[Self.helm] = nil
        await #expect {
            try await wants.images()
        } throws: {
            "\($0)".hasSuffix("could not be rendered: there is no helm, neither in PATH nor in a MicroK8s snap")
        }
        try machine.folder.remove("charts/jupyterhub-4.2.0.tgz")
        await #expect {
            try await wants.images()
        } throws: {
            "\($0)" == "there is no \(machine.folder.path)/charts/jupyterhub-4.2.0.tgz, the hub's chart"
        }
    }

    /// A snap file in the bundle, whose files unsquashfs shows as the lab's snap has them.
    private func carrySnap() throws -> FilePath {
        let snap = try machine.folder.put("snaps/microk8s_8142.snap")
        let files = [
            "default-args/containerd-template.toml", "addons/core/addons/dns/coredns.yaml",
            "addons/core/addons/hostpath-storage/storage.yaml",
        ]
        let texts = try Dictionary(
            uniqueKeysWithValues: files.map { ($0, try repositoryText("Tests/Lab/microk8s/snap/" + $0)) })
        host["/usr/bin/unsquashfs"] = "unsquashfs"
        host.script { command, _ in
            guard command.argv.starts(with: ["unsquashfs", "-cat", snap.string]), let name = command.argv.last else {
                return nil
            }
            return texts[name].map { Outcome(output: $0) }
                ?? Outcome(status: 2, errors: "cat: no matches for /\(name)\n")
        }
        return snap
    }

    @Test mutating func theSnapSaysWhatMicroK8sRuns() async throws {
        machine.settings.clusterProvider = .microk8s
        _ = try carrySnap()
        #expect(try await needs("registry.k8s.io/pause:3.7") == ["MicroK8s: every pod's sandbox"])
        #expect(try await needs("docker.io/coredns/coredns:1.10.1") == ["MicroK8s: addon dns"])
        #expect(try await needs("docker.io/library/busybox:1.28.4") == ["MicroK8s: addon hostpath-storage"])
    }

    @Test mutating func theSnapsOwnHelmRendersWhereThereIsNoOther() async throws {
        machine.settings.clusterProvider = .microk8s
        let snap = try carrySnap()
        host[Self.helm] = nil
        _ = try await wants.images()
        let argv = try #require(host.ran.last?.argv)
        #expect(argv.prefix(4) == ["unshare", "--mount", "sh", "-c"] && argv[5] == snap.string)
        #expect(argv[6...].starts(with: ["/boot/bin/helm", "template", "jhub"]))
    }

    @Test mutating func aSnapThatNobodyCanLookIntoIsAnError() async throws {
        machine.settings.clusterProvider = .microk8s
        let snap = try machine.folder.put("snaps/microk8s_8142.snap")
        host.answer(
            where: { $0.argv.first == "unshare" && $0.argv.contains("cat") },
            Outcome(status: 99, errors: "mount: /boot: must be superuser to use mount.\n"))
        await #expect {
            try await wants.images()
        } throws: {
            "\($0)"
                == "could not list the images that will be needed: the images of MicroK8s are taken to be those of 1.30, "
                + "since could not look into \(snap): mount: /boot: must be superuser to use mount. "
                + "(root can, or whoever has unsquashfs)"
        }
    }

    @Test mutating func aMirrorsNamesAreWanted() async throws {
        machine.settings.clusterProvider = .microk8s
        machine.settings.patchCalico = true
        let names = try await machine.site.wanted().images.map(\.reference.description)
        #expect(names.contains("quay.io/calico/node:v3.25.1") && !names.contains("docker.io/calico/node:v3.25.1"))
    }

    @Test func theChartIsRenderedOnceForASite() async throws {
        let site = machine.site
        for _ in 0..<3 { _ = try await site.wanted() }
        #expect(host.ran.filter { $0.argv.contains("template") }.count == 1)
    }

    @Test func whatTheBundleLacksIsNamedWithWhatAsks() async throws {
        let made = try TestBundle()
        var wants = wants
        wants.settings.singleuserImage = TestBundle.image
        wants.bundle = try made.opened()
        let lines = try await wants.absent()
        #expect(!lines.contains { $0.contains(TestBundle.image) })
        #expect(
            lines.contains(
                "the bundle lacks quay.io/a/pod:1 (chart jupyterhub-4.2.0: Pod p): make it again with this config, or "
                    + "add that image with 'jhub-install bundle add'"))
    }
}
