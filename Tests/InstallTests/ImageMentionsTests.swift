import Hosts
import Images
import SystemPackage
import TestSupport
import Testing

@testable import Install

/// The files are those of the MicroK8s 1.30 snap, as the lab has them.
@Suite struct ImageMentionsTests {
    private func mentions(in text: String) -> [String] { ImageMentions.of(text).map(\.description) }
    private static let snap = "Tests/Lab/microk8s/snap/"

    @Test(arguments: [
        ("default-args/containerd-template.toml", ["registry.k8s.io/pause:3.7"]),
        ("addons/core/addons/dns/coredns.yaml", ["docker.io/coredns/coredns:1.10.1"]),
        (
            "addons/core/addons/hostpath-storage/storage.yaml",
            ["docker.io/cdkbot/hostpath-provisioner:1.5.0", "docker.io/library/busybox:1.28.4"]
        ),
    ])
    func aFileOfTheSnapNamesItsImages(_ file: String, images: [String]) throws {
        #expect(mentions(in: try repositoryText(Self.snap + file)) == images)
    }

    @Test func calicoNamesEachOnce() {
        let yaml = """
                  initContainers:
                    # The upgrade from host-local.
                    - name: upgrade-ipam
                      image: docker.io/calico/cni:v3.25.1
                      command: ["/opt/cni/bin/calico-ipam", "-upgrade"]
                    - name: install-cni
                      image: "docker.io/calico/cni:v3.25.1"
                    - image: 'docker.io/calico/node:v3.25.1' # last
                      name: calico-node
            """
        #expect(mentions(in: yaml) == ["docker.io/calico/cni:v3.25.1", "docker.io/calico/node:v3.25.1"])
    }

    @Test func whatNamesNoImageIsPassedOver() {
        let text = """
            # image: docker.io/calico/old:v1
            imagePullPolicy: IfNotPresent
            image: $REGISTRY/with/a/hole
            images: a/b:1
            - name: BUSYBOX_IMAGE
            - name: OTHER
              value: docker.io/library/not:this
            #   sandbox_image = "k8s.gcr.io/pause:2"
            """
        #expect(mentions(in: text).isEmpty)
    }

    @Test func aMachineWithoutTheSnapNeedsThoseOf130() async throws {
        let images = try await MicroK8s().images(on: TestMachine().site).images.map(\.reference)
        #expect(images.map(\.description).contains("registry.k8s.io/pause:3.7"))
        #expect(images.count == 7)
    }

    @Test func theInstalledSnapDecides() async throws {
        let machine = try TestMachine()
        machine.host["/var/snap/microk8s/current/args/containerd-template.toml"] =
            "  sandbox_image = \"registry.k8s.io/pause:3.10\"\n"
        #expect(
            try await MicroK8s().images(on: machine.site).images.map(\.reference.description) == [
                "registry.k8s.io/pause:3.10"
            ])
    }
}
