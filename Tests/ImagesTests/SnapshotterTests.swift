import Containerd
import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Which of a real containerd's snapshotters unpacks.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SnapshotterTests {
    /// The kubelet's side, told to take this one.
    private func kubelets(_ snapshotter: String) -> String {
        """
        [plugins."\(PrivateContainerd.kubelets)"]
          stream_server_address = "127.0.0.1"
          stream_server_port = "0"
        [plugins."\(PrivateContainerd.kubelets)".containerd]
          snapshotter = "\(snapshotter)"
        """
    }

    @Test(arguments: ["native", "overlayfs"]) func itIsTheKubelets(snapshotter: String) async throws {
        try await PrivateContainerd.with(without: [], configuration: kubelets(snapshotter)) { containerd in
            // It starts after the rest.
            for _ in 0..<200 where try await containerd.api.kubeletsSnapshotter() == nil {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await containerd.store.holdings().snapshotter == snapshotter)
            let image = try containerd.image("a.tar", Sample().oci)
            try await containerd.load(image)
            let unpacked = try await containerd.api.snapshots(of: snapshotter)
            #expect(Set(unpacked) == Set(image.chain.map(\.description)))
            let other = snapshotter == "native" ? "overlayfs" : "native"
            #expect(try await containerd.api.snapshots(of: other) == [])
            #expect(try await containerd.store.holdings().lacks(image) == nil)
        }
    }

    @Test func whereTheKubeletsSideIsSilentWhatIsUnpackedTells() async throws {
        try await PrivateContainerd.with { containerd in
            let image = try containerd.image("a.tar", Sample().oci)
            #expect(try await containerd.store.holdings().snapshotter == "overlayfs")
            let imported = try await containerd.ctr(
                "images", "import", "--snapshotter", "native", containerd.folder.path.appending("a.tar").string)
            try #require(imported.status == 0, "\(imported)")
            let holdings = try await containerd.store.holdings()
            #expect(holdings.snapshotter == "native")
            #expect(holdings.lacks(image)?.lacks == [.pin])
        }
    }

    @Test func whereNothingTellsThatIsSaid() async throws {
        let plugins = [PrivateContainerd.kubelets, "io.containerd.snapshotter.v1.overlayfs"]
        try await PrivateContainerd.with(without: plugins) { containerd in
            let error = await #expect(throws: ImageError.self) { _ = try await containerd.store.holdings() }
            #expect(error?.reason.contains("and containerd has no overlayfs, but ") == true, "\(error?.reason ?? "")")
            #expect(error?.reason.contains("native") == true)
        }
    }
}
